import { PathSize } from "./path-size.ts";
import { heardMs } from "./timing.ts";
import { formatUdpAddress, nearness, type UdpAddress } from "./udp-address.ts";

/** An address at which a peer may be. */
export class Candidate {
  readonly address: UdpAddress;
  /** The address as text, which identifies it. */
  readonly key: string;
  readonly nearness: number;
  /** True if the peer's node names it. */
  isPublished = false;
  /** True if the peer's last call names it. */
  isCalled = false;
  /** The time of the last authenticated message from it. */
  heardAt = Number.NEGATIVE_INFINITY;
  pingedAt = Number.NEGATIVE_INFINITY;
  /** The time between the latest answered ping and its pong; undefined before the first. */
  latencyMs: number | undefined;
  /** The length of the datagrams that it carries. */
  size = new PathSize();
  /** True if one of our pings has answered a ping of the peer from here since the last round. */
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

  /** Replaces the addresses of the previous node by those of the peer's new one. */
  publish(addresses: readonly UdpAddress[]): void {
    for (const candidate of this) candidate.isPublished = false;
    for (const candidate of this.#findOrAdd(addresses)) candidate.isPublished = true;
  }

  /** Replaces the addresses of the previous call, and returns the new ones. */
  call(addresses: readonly UdpAddress[]): readonly Candidate[] {
    for (const candidate of this) candidate.isCalled = false;
    const called = this.#findOrAdd(addresses);
    for (const candidate of called) candidate.isCalled = true;
    return called;
  }

  /**
   * Records the source of an authenticated message. A full set evicts one that never answered a ping, then the one
   * not heard from for longest: repeated messages from other addresses must not displace a working one.
   */
  hear(address: UdpAddress, now: number): Candidate {
    const known = this.#byKey.get(formatUdpAddress(address));
    if (known === undefined) this.#makeRoom();
    const candidate = known ?? new Candidate(address);
    candidate.heardAt = now;
    this.#byKey.set(candidate.key, candidate);
    return candidate;
  }

  /** Forgets the addresses that no source names any longer, except `kept`. */
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

/** Returns true for an address that the peer's node or last call names. */
export function isNamed({ isPublished, isCalled }: Candidate): boolean {
  return isPublished || isCalled;
}
