import { TokenBucket } from "@slipway/runtime";
import { encodeHex } from "@slipway/wire/bytes/hex";
import { paddedDiscoBytes } from "@slipway/wire/disco/message";

import { keyText } from "../identity/key.ts";
import { BestPath } from "./best-path.ts";
import { Candidates, isNamed, type Candidate } from "./candidates.ts";
import { DiscoSender } from "./disco-sender.ts";
import { ExplicitPings } from "./explicit-pings.ts";
import type { PathLimits } from "./limits.ts";
import type { OwnEndpoints, PathAction, PathPeer, PathVia, PeerRoute } from "./path-action.ts";
import { relayDatagramBytes, PathSize } from "./path-size.ts";
import { RecentTransactions } from "./recent-transactions.ts";
import { SentPings } from "./sent-pings.ts";
import { activeMs, freshEndpointsMs, fullMs, heartbeatMs, roundMs } from "./timing.ts";
import { formatUdpAddress, type UdpAddress } from "./udp-address.ts";

const transactionIdBytes = 12;

export interface PeerPathNeeds {
  /** Our own node key. */
  readonly nodeKey: Uint8Array;
  readonly isDirectDisabled: boolean;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly ownEndpoints: () => OwnEndpoints;
  /** Returns whether the shared budget of all peers allows another ping over UDP, and counts it. */
  readonly takePing: (now: number) => boolean;
  readonly emit: (action: PathAction) => void;
}

/** The paths to one peer (docs/protocol/tailnet.md §6.4). */
export class PeerPath {
  readonly key: string;
  readonly discoKey: string;
  readonly #needs: PeerPathNeeds;
  readonly #candidates: Candidates;
  readonly #sentPings: SentPings;
  readonly #explicitPings: ExplicitPings;
  readonly #answered: RecentTransactions;
  readonly #pingBudget: TokenBucket;
  readonly #pongBudget: TokenBucket;
  readonly #callBudget: TokenBucket;
  readonly #best = new BestPath();
  readonly #sender: DiscoSender;
  #sentAt = Number.NEGATIVE_INFINITY;
  #fullAt = Number.NEGATIVE_INFINITY;
  #roundAt = Number.NEGATIVE_INFINITY;
  /** True if a call waits for our own endpoints. */
  #isCallDue = false;

  constructor(
    peer: PathPeer,
    limits: PathLimits,
    needs: PeerPathNeeds & {
      /** Receives an address that no longer belongs to this peer. */
      readonly onForget: (key: string) => void;
    },
  ) {
    this.key = keyText(peer.nodeKey);
    this.discoKey = keyText(peer.discoKey);
    this.#needs = needs;
    this.#sender = new DiscoSender(peer, needs.nodeKey, needs.emit);
    this.#candidates = new Candidates(limits.maxAddressesPerSource, needs.onForget);
    this.#sentPings = new SentPings(limits.maxPings);
    this.#explicitPings = new ExplicitPings(limits.maxExplicitPings);
    this.#answered = new RecentTransactions(limits.maxAnswered);
    this.#pingBudget = new TokenBucket(limits.pings);
    this.#pongBudget = new TokenBucket(limits.pongs);
    this.#callBudget = new TokenBucket(limits.calls);
  }

  get homeRegionId(): number {
    return this.#sender.peer.homeRegionId;
  }

  /** The length of the longest datagram that the current route carries. */
  get datagramBytes(): number {
    return this.#best.candidate?.size.bytes ?? relayDatagramBytes;
  }

  /** The time at which `tick` is due; undefined if nothing waits. */
  nextWake(now: number): number | undefined {
    const { nextExpiry = Infinity } = this.#sentPings;
    const { nextWake = Infinity } = this.#explicitPings;
    const wake = Math.min(nextExpiry, nextWake, this.#nextAdvance(now));
    return wake === Infinity ? undefined : wake;
  }

  /** Updates the description of the same peer; `endpoints` are usable. */
  update(peer: PathPeer, now: number): void {
    this.#sender.peer = peer;
    this.#rename(now, () => this.#candidates.publish(peer.endpoints));
    if (this.#needs.isDirectDisabled || !this.#isActive(now) || this.#best.isTrusted(now)) return;
    for (const candidate of this.#candidates) {
      if (candidate.pingedAt === Number.NEGATIVE_INFINITY) this.#pingWithinBudget(candidate, now);
    }
  }

  /** Returns true if it has answered a ping at an address. */
  hasAnsweredFrom(addressKey: string): boolean {
    return this.#candidates.get(addressKey)?.latencyMs !== undefined;
  }

  route(now: number): PeerRoute {
    return this.#best.route(this.homeRegionId, now);
  }

  /** Notes that data is sent, which makes the peer active; `isFull` means that longer datagrams would help. */
  noteSent(isFull: boolean, now: number): void {
    this.#sentAt = now;
    if (isFull) this.#fullAt = now;
    this.#advance(now);
  }

  /** Marks a ping as proving nothing, since it was not sent in one piece. */
  noteNotWhole(transactionId: Uint8Array, now: number): void {
    const transaction = encodeHex(transactionId);
    const { candidate, provesBytes } = this.#sentPings.get(transaction) ?? {};
    if (provesBytes === undefined) return;
    this.#sentPings.delete(transaction);
    candidate?.size.missed(provesBytes, now);
  }

  tick(now: number): void {
    for (const ping of this.#sentPings.takeExpired(now)) {
      // The next probe, or a shorter ping, reveals the cause.
      if (ping.provesBytes === undefined) this.#best.missed(ping, now);
    }
    for (const id of this.#explicitPings.takeDue(now)) this.#sendExplicit(id, now);
    this.#advance(now);
  }

  /** Pings on every path until one answers or `endPing` is called. Returns whether there was room for another ping. */
  ping(id: number, now: number): boolean {
    if (!this.#explicitPings.add(id, now)) return false;
    this.#sendExplicit(id, now);
    return true;
  }

  endPing(id: number): void {
    this.#explicitPings.delete(id);
  }

  /**
   * Answers a ping of this peer once: a ping that comes again, even from elsewhere, was replayed by someone else.
   * Over UDP its source becomes a candidate. Returns whether it was new.
   */
  receivePing(transactionId: Uint8Array, via: PathVia, packetBytes: number, now: number): boolean {
    if (!this.#answered.add(encodeHex(transactionId))) return false;
    if (via.kind === "relay") {
      this.#sendPong(transactionId, via, 0, now);
      return true;
    }
    const candidate = this.#candidates.hear(via.address, now);
    // A pong is no longer than its ping: the source may be forged by an attacker that replays a ping of the peer.
    this.#sendPong(transactionId, via, Math.min(packetBytes, paddedDiscoBytes), now);
    if (!candidate.isPingedBack && this.#isActive(now) && !this.#best.isTrusted(now)) {
      this.#pingWithinBudget(candidate, now);
      candidate.isPingedBack = true;
    }
    return true;
  }

  /** Handles a pong of this peer; returns whether it answers a ping on the same path. */
  receivePong(transactionId: Uint8Array, via: PathVia, now: number): boolean {
    const transaction = encodeHex(transactionId);
    const ping = this.#sentPings.get(transaction);
    const key = via.kind === "udp" ? formatUdpAddress(via.address) : undefined;
    if (ping === undefined || ping.candidate?.key !== key) return false;
    this.#sentPings.delete(transaction);
    const latencyMs = now - ping.sentAt;
    if (ping.explicitId !== undefined && this.#explicitPings.delete(ping.explicitId)) {
      this.#needs.emit({ type: "ping-answered", id: ping.explicitId, answer: { latencyMs, via } });
    }
    if (via.kind === "relay") return true;
    const candidate = this.#candidates.hear(via.address, now);
    if (ping.provesBytes === undefined) {
      candidate.latencyMs = latencyMs;
      this.#best.answered(candidate, now);
    } else {
      candidate.size.answered(ping.provesBytes, now);
    }
    this.#probeSize(now);
    return true;
  }

  /** Returns whether the budget allows a call of this peer, and counts it. */
  takeCall(now: number): boolean {
    return this.#callBudget.tryTake(1, now);
  }

  /** Pings the addresses that this peer's call names, which opens our NAT for it; they are usable. */
  receiveCall(addresses: readonly UdpAddress[], now: number): void {
    const called = this.#rename(now, () => this.#candidates.call(addresses));
    for (const candidate of called) {
      candidate.isPingedBack = false;
      this.#pingWithinBudget(candidate, now);
    }
  }

  /** Sends the call that waited for our endpoints. */
  noteOwnEndpoints(now: number): void {
    if (this.#isCallDue && this.#isActive(now)) this.#call(now);
    this.#isCallDue = false;
  }

  /** Falls back to the relay and restarts the search: the measurements belong to another network. */
  reset(now: number): void {
    this.#best.lose();
    this.#sentPings.clear();
    this.#roundAt = Number.NEGATIVE_INFINITY;
    for (const candidate of this.#candidates) {
      candidate.pingedAt = Number.NEGATIVE_INFINITY;
      candidate.size = new PathSize();
    }
    this.#advance(now);
  }

  /** Forgets all addresses. */
  close(): void {
    this.#candidates.clear();
  }

  /** Changes the peer's named addresses, and drops the best one if it is no longer named. */
  #rename<T>(now: number, change: () => T): T {
    const best = this.#best.candidate;
    const wasNamed = best !== undefined && isNamed(best);
    const result = change();
    if (wasNamed && !isNamed(best)) this.#best.lose();
    this.#candidates.prune(now, this.#best.candidate);
    return result;
  }

  #isActive(now: number): boolean {
    return now - this.#sentAt < activeMs;
  }

  /** Begins a round or sends a heartbeat if it is due. */
  #advance(now: number): void {
    if (this.#needs.isDirectDisabled || !this.#isActive(now)) return;
    if (now >= this.#best.nextRound(this.#roundAt)) this.#pingAll(now);
    const best = this.#best.candidate;
    if (best !== undefined && now >= best.pingedAt + heartbeatMs) this.#sendPing(best, now);
    this.#probeSize(now);
  }

  /**
   * Probes the length of datagrams that the best address carries, while longer ones would help the data being sent.
   * Only an address that answers gets long packets.
   */
  #probeSize(now: number): void {
    const best = this.#best.candidate;
    if (best === undefined || !this.#best.isTrusted(now) || now - this.#fullAt >= fullMs) return;
    const packetBytes = best.size.take(now);
    if (packetBytes === undefined) return;
    const transactionId = this.#addPing(best, now, { provesBytes: packetBytes });
    const via = { kind: "udp", address: best.address } as const;
    this.#sender.ping(via, transactionId, { packetBytes, isWhole: true });
  }

  /** Records a ping that is sent now, and returns its transaction id. */
  #addPing(
    candidate: Candidate | undefined,
    now: number,
    purpose: { readonly explicitId?: number | undefined; readonly provesBytes?: number },
  ): Uint8Array {
    const { explicitId, provesBytes } = purpose;
    const transactionId = this.#needs.randomBytes(transactionIdBytes);
    const ping = { candidate, sentAt: now, explicitId, provesBytes };
    this.#sentPings.add(encodeHex(transactionId), ping);
    return transactionId;
  }

  /** Returns the time of the next round or heartbeat; never, if the peer will not be active by then. */
  #nextAdvance(now: number): number {
    if (this.#needs.isDirectDisabled || !this.#isActive(now)) return Infinity;
    const best = this.#best.candidate;
    const heartbeat = best === undefined ? Infinity : best.pingedAt + heartbeatMs;
    const at = Math.min(this.#best.nextRound(this.#roundAt), heartbeat);
    return at < this.#sentAt + activeMs ? at : Infinity;
  }

  #pingAll(now: number): void {
    this.#roundAt = now;
    this.#candidates.prune(now, this.#best.candidate);
    let count = 0;
    for (const candidate of this.#candidates) {
      candidate.isPingedBack = false;
      if (now - candidate.pingedAt < roundMs) continue;
      if (this.#pingWithinBudget(candidate, now)) count += 1;
    }
    if (count > 0) this.#call(now);
  }

  /** Asks the peer to ping us, once our endpoints are fresh (docs/protocol/tailnet.md §6.2). */
  #call(now: number): void {
    const { addresses, lookedUpAt } = this.#needs.ownEndpoints();
    if (now - lookedUpAt >= freshEndpointsMs) {
      this.#isCallDue = true;
      this.#needs.emit({ type: "look-up-endpoints" });
    } else if (addresses.length > 0) {
      this.#sender.call(addresses);
    }
  }

  #sendExplicit(id: number, now: number): void {
    if (!this.#best.isTrusted(now)) this.#sendPing(undefined, now, id);
    if (this.#needs.isDirectDisabled) return;
    for (const candidate of this.#candidates) this.#pingWithinBudget(candidate, now, id);
  }

  /** Pings an address that may be anyone's; returns whether the budget allowed it. */
  #pingWithinBudget(candidate: Candidate, now: number, explicitId?: number): boolean {
    if (this.#pingBudget.left(now) < 1 || !this.#needs.takePing(now)) return false;
    this.#pingBudget.take(1, now);
    this.#sendPing(candidate, now, explicitId);
    return true;
  }

  /** Pings an address, or over the relay. */
  #sendPing(candidate: Candidate | undefined, now: number, explicitId?: number): void {
    const transactionId = this.#addPing(candidate, now, { explicitId });
    if (candidate !== undefined) candidate.pingedAt = now;
    const via: PathVia =
      candidate === undefined ? this.#sender.relay : { kind: "udp", address: candidate.address };
    const packetBytes = candidate === undefined ? 0 : paddedDiscoBytes;
    this.#sender.ping(via, transactionId, { packetBytes, isWhole: false });
  }

  #sendPong(transactionId: Uint8Array, via: PathVia, packetBytes: number, now: number): void {
    if (!this.#pongBudget.tryTake(1, now)) return;
    this.#sender.pong(via, transactionId, packetBytes);
  }
}
