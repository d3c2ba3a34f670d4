import { PathSize } from "./path-size.ts";
import { heardMs } from "./timing.ts";
import { formatUdpAddress, nearness, type UdpAddress } from "./udp-address.ts";

/** An address at which a peer may be. */
export class Candidate {
  readonly address: UdpAddress;
  /** Its text, by which it is known. */
  readonly key: string;
  readonly nearness: number;
  /** The peer's node names it. */
  isPublished = false;
  /** The last call of the peer names it. */
  isCalled = false;
  /** The time of the last authenticated message from it. */
  heardAt = Number.NEGATIVE_INFINITY;
  pingedAt = Number.NEGATIVE_INFINITY;
  /** The time between the latest ping that was answered and its pong; undefined before the first. */
  latencyMs: number | undefined;
  /** The length of the datagrams that it takes. */
  size = new PathSize();
  /** A ping of the peer from here was answered by a ping of ours since the last round. */
  isPingedBack = false;

  constructor(address: UdpAddress) {
    this.address = address;
    this.key = formatUdpAddress(address);
    this.nearness = nearness(address.address);
  }
}

/** The addresses at which a peer may be, a bounded number from each source. */
export class Candidates implements Iterable<Candidate> {
  readonly #maxPerSource: number;
  readonly #onForget: (key: string) => void;
  readonly #byKey = new Map<string, Candidate>();

  constructor(maxPerSource: number, onForget: (key: string) => void) {
    this.#maxPerSource = maxPerSource;
    this.#onForget = onForget;
  }

  [Symbol.iterator](): Iterator<Candidate> {
    return this.#byKey.values();
  }

  get(key: string): Candidate | undefined {
    return this.#byKey.get(key);
  }

  /** Takes the addresses of the peer's node in place of those of the node before. */
  publish(addresses: readonly UdpAddress[]): void {
    for (const candidate of this) candidate.isPublished = false;
    for (const candidate of this.#findOrAdd(addresses)) candidate.isPublished = true;
  }

  /** Takes the addresses of a call in place of those of the call before, and returns them. */
  call(addresses: readonly UdpAddress[]): readonly Candidate[] {
    for (const candidate of this) candidate.isCalled = false;
    const called = this.#findOrAdd(addresses);
    for (const candidate of called) candidate.isCalled = true;
    return called;
  }

  /**
   * Takes the source of an authenticated message. One that never answered a ping makes room, then the one that was not
   * heard from for longest: repeated messages from other addresses must not displace what works.
   */
  hear(address: UdpAddress, now: number): Candidate {
    const known = this.#byKey.get(formatUdpAddress(address));
    if (known === undefined) this.#makeRoom();
    const candidate = known ?? new Candidate(address);
    candidate.heardAt = now;
    this.#byKey.set(candidate.key, candidate);
    return candidate;
  }

  /** Forgets the addresses that no source names any more, except `kept`. */
  prune(now: number, kept: Candidate | undefined): void {
    for (const candidate of this) {
      const isNeeded = isNamed(candidate) || candidate === kept;
      if (!isNeeded && now - candidate.heardAt > heardMs) this.#forget(candidate.key);
    }
  }

  /** Forgets all addresses. */
  clear(): void {
    for (const candidate of this) this.#forget(candidate.key);
  }

  #makeRoom(): void {
    const unnamed = [...this].filter((candidate) => !isNamed(candidate));
    if (unnamed.length < this.#maxPerSource) return;
    const unproven = unnamed.filter(({ latencyMs }) => latencyMs === undefined);
    const [oldest] = (unproven.length > 0 ? unproven : unnamed).toSorted(
      (one, other) => one.heardAt - other.heardAt,
    );
    if (oldest !== undefined) this.#forget(oldest.key);
  }

  #forget(key: string): void {
    this.#byKey.delete(key);
    this.#onForget(key);
  }

  #findOrAdd(addresses: readonly UdpAddress[]): readonly Candidate[] {
    return addresses.slice(0, this.#maxPerSource).map((address) => {
      const key = formatUdpAddress(address);
      const candidate = this.#byKey.get(key) ?? new Candidate(address);
      this.#byKey.set(key, candidate);
      return candidate;
    });
  }
}

/** Returns true for an address that the node or the last call of the peer names. */
export function isNamed({ isPublished, isCalled }: Candidate): boolean {
  return isPublished || isCalled;
}
