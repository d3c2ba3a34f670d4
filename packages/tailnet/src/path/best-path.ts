import type { Candidate } from "./candidates.ts";
import type { PeerRoute } from "./path-action.ts";
import { PathSize } from "./path-size.ts";
import type { SentPing } from "./sent-pings.ts";
import { goodLatencyMs, roundMs, trustMs, upgradeMs } from "./timing.ts";

/*
 *             pong                          6.5 s without a pong
 *   relayed ────────> direct, trusted ─────────────────────────> direct, not trusted
 *      ^                  ^    pong                                │            │
 *      │                  └────────────────────────────────────────┘            │
 *      └────────────────────────────────────────────────────────────────────────┘
 *         a ping sent since then had no pong for 5 s; the network changed; the peer names the address no more
 */
type State =
  | { readonly kind: "relayed" }
  | { readonly kind: "direct"; readonly best: Candidate; readonly trustedUntil: number };

const relayed: State = { kind: "relayed" };

/**
 * The direct address for data to one peer, if there is one, and whether it is trusted
 * (docs/protocol/tailnet.md §6.4).
 */
export class BestPath {
  #state: State = relayed;

  /** The address; undefined while data takes only the relay. */
  get candidate(): Candidate | undefined {
    return this.#state.kind === "direct" ? this.#state.best : undefined;
  }

  /** Returns true if the address has answered recently. */
  isTrusted(now: number): boolean {
    return this.#state.kind === "direct" && now < this.#state.trustedUntil;
  }

  route(regionId: number, now: number): PeerRoute {
    if (this.#state.kind === "relayed") return { kind: "relay", regionId };
    const { address } = this.#state.best;
    return this.isTrusted(now) ? { kind: "udp", address } : { kind: "both", regionId, address };
  }

  /** Records an answer and adopts the address if it is better. */
  answered(candidate: Candidate, now: number): void {
    const best = this.candidate;
    const isChosen =
      best === undefined ||
      best.key === candidate.key ||
      !this.isTrusted(now) ||
      isBetter(candidate, best);
    if (!isChosen) return;
    // Another address is another path: the size known so far no longer holds.
    if (best?.key !== candidate.key) candidate.size = new PathSize();
    this.#state = { kind: "direct", best: candidate, trustedUntil: now + trustMs };
  }

  /** Records an unanswered ping, which drops the path if the ping was sent after its trust expired. */
  missed({ candidate, sentAt }: SentPing, now: number): void {
    if (this.#state.kind === "relayed" || candidate?.key !== this.#state.best.key) return;
    if (!this.isTrusted(now) && sentAt >= this.#state.trustedUntil) this.lose();
  }

  /** Falls back to the relay. */
  lose(): void {
    this.#state = relayed;
  }

  /** Returns the time of the next ping of all addresses, given the time of the last one. */
  nextRound(roundAt: number): number {
    if (this.#state.kind === "relayed") return roundAt + roundMs;
    const { best, trustedUntil } = this.#state;
    const untrusted = Math.max(trustedUntil, roundAt + roundMs);
    const isGood = (best.latencyMs ?? Infinity) <= goodLatencyMs;
    return isGood ? untrusted : Math.min(untrusted, roundAt + upgradeMs);
  }
}

/** The minimum advantage, in points, for changing a path. */
const leastAdvantage = 1;

/**
 * Returns true if an address is better than another by more than noise: latency counts as the percentage by which it
 * is lower, nearness as points (docs/protocol/tailnet.md §6.4). An address that never answered is the worst.
 */
export function isBetter(one: Candidate, other: Candidate): boolean {
  if (one.latencyMs === undefined) return false;
  if (other.latencyMs === undefined) return true;
  const advantage = percentLess(one.latencyMs, other.latencyMs) + one.nearness - other.nearness;
  return advantage >= leastAdvantage;
}

/** Returns the percentage by which the first latency is lower than the second; negative if it is higher. */
function percentLess(one: number, other: number): number {
  const most = Math.max(one, other);
  return most <= 0 ? 0 : ((other - one) / most) * 100;
}
