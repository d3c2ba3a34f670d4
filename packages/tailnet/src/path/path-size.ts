/*
 * Lengths of datagrams, that is of UDP's payload or a relay's packet. A packet in the tunnel is shorter by the header
 * and the tag of its message (docs/protocol/tailnet.md §5.4).
 */

/** The length that every path is assumed to carry: that of a packet of 1,280 bytes (docs/protocol/tailnet.md §7.1). */
export const leastDatagramBytes = 1312;

/**
 * The longest datagram sent through a relay, which carries up to 64 KiB (docs/protocol/tailnet.md §4.5): longer ones
 * would gain little, and delay what waits behind them.
 */
export const relayDatagramBytes = 16_416;

/** The lengths to try on a direct path: for Ethernet, for jumbo frames of any cloud, and within a machine. */
const directDatagramBytes: readonly number[] = [leastDatagramBytes, 1440, 8832, relayDatagramBytes];

/** The time after which an unanswered probe counts as lost, and between two proofs of the same length. */
const probeMs = 3000;
/**
 * The number of consecutive lost probes after which a length is given up (RFC 8899 §5.1.2, MAX_PROBES), and for how
 * long.
 */
const maxMisses = 3;
const givenUpMs = 600_000;

/*
 *   1312 --pong--> 1440 --pong--> 8832 --pong--> 16416
 *     ^               \              \              \
 *     └──────── a probe of the present length is lost ─┘
 */
/**
 * The length of the datagrams that an address carries, found by padded pings (RFC 8899). Each proves its own length:
 * longer ones in turn, and the current one repeatedly, as the path to an address may change.
 */
export class PathSize {
  /** The index of the proven length. */
  #proven = 0;
  /** The length of the unanswered probe. */
  #probeBytes: number | undefined;
  #nextAt = Number.NEGATIVE_INFINITY;
  /** The number of lost probes of the next length, and the time until which it is given up. */
  #misses = 0;
  #givenUpUntil = Number.NEGATIVE_INFINITY;

  /** The length of the longest datagram that is known to arrive. */
  get bytes(): number {
    return directDatagramBytes[this.#proven] ?? leastDatagramBytes;
  }

  /** Returns the length of a probe that is due, and marks it as sent; undefined for none. */
  take(now: number): number | undefined {
    if (now < this.#nextAt) return undefined;
    if (this.#probeBytes !== undefined) this.missed(this.#probeBytes, now);
    const next = now < this.#givenUpUntil ? undefined : directDatagramBytes[this.#proven + 1];
    if (next === undefined && this.#proven === 0) return undefined;
    this.#probeBytes = next ?? this.bytes;
    this.#nextAt = now + probeMs;
    return this.#probeBytes;
  }

  /** Notes that a probe has arrived, however late. */
  answered(bytes: number, now: number): void {
    if (this.#probeBytes === bytes) this.#probeBytes = undefined;
    const place = directDatagramBytes.indexOf(bytes);
    if (place <= this.#proven) return;
    this.#proven = place;
    this.#misses = 0;
    this.#givenUpUntil = Number.NEGATIVE_INFINITY;
    if (place + 1 < directDatagramBytes.length) this.#nextAt = now;
  }

  /** Notes that the latest probe was lost, or was fragmented and so proves nothing. */
  missed(bytes: number, now: number): void {
    if (this.#probeBytes !== bytes) return;
    this.#probeBytes = undefined;
    if (bytes <= this.bytes) {
      this.#proven = 0;
      this.#misses = 0;
      this.#givenUpUntil = Number.NEGATIVE_INFINITY;
      this.#nextAt = now;
      return;
    }
    this.#misses += 1;
    if (this.#misses < maxMisses) return;
    this.#misses = 0;
    this.#givenUpUntil = now + givenUpMs;
  }
}
