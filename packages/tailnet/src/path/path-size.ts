/*
 * Lengths of datagrams, that is of UDP's payload or of a relay's packet. A packet in the tunnel is shorter by the header and
 * the tag of its message (docs/protocol/tailnet.md §5.4).
 */

/** The length that every path is taken to carry: that of a packet of 1,280 bytes (docs/protocol/tailnet.md §7.1). */
export const leastDatagramBytes = 1312;

/**
 * The longest that goes through a relay, which carries 64 KiB (docs/protocol/tailnet.md §4.5): longer ones would gain little,
 * and delay what waits behind them.
 */
export const relayDatagramBytes = 16_416;

/** The lengths that are tried on a direct path: for Ethernet, for its jumbo frames in any cloud, and within a machine. */
const directDatagramBytes: readonly number[] = [leastDatagramBytes, 1440, 8832, relayDatagramBytes];

/** The time after which a probe without an answer counts as lost, and between two proofs of the same length. */
const probeMs = 3000;
/** The probes of a length that are lost in a row before it is given up (RFC 8899 §5.1.2, MAX_PROBES), and for how long. */
const maxMisses = 3;
const givenUpMs = 600_000;

/*
 *   1312 --pong--> 1440 --pong--> 8832 --pong--> 16416
 *     ^               \              \              \
 *     └──────── a probe of the present length is lost ─┘
 */
/**
 * The length of the datagrams that an address takes, found by padded pings (RFC 8899). Each proves its own length: longer
 * ones in turn, and the present one again and again, as the path to an address may change.
 */
export class PathSize {
  /** The place of the proven length. */
  #proven = 0;
  /** The length of the probe that waits for its answer. */
  #probeBytes: number | undefined;
  #nextAt = Number.NEGATIVE_INFINITY;
  /** The probes of the next length that were lost, and the time until which it is given up. */
  #misses = 0;
  #givenUpUntil = Number.NEGATIVE_INFINITY;

  /** The length of the longest datagram that is known to arrive. */
  get bytes(): number {
    return directDatagramBytes[this.#proven] ?? leastDatagramBytes;
  }

  /** Returns the length of a probe that is due now, which then counts as sent; undefined for none. */
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

  /** Notes that the latest probe was lost, or was sent in fragments and so proves nothing. */
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
