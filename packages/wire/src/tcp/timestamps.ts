import { sequenceDistance } from "./sequence.ts";

/** The idle time after which the peer's timestamps may have wrapped (RFC 7323 §5.5). */
const recentValidMs = 24 * 24 * 60 * 60 * 1000;

/** The timestamps of a connection (RFC 7323 §3 to §5): milliseconds plus an offset that hides the clock. */
export class Timestamps {
  readonly #offset: number;
  #isOn = false;
  /** TS.Recent: the peer's timestamp to echo, and its time of arrival. */
  #recent = 0;
  #recentAt = 0;

  /** Creates timestamps that are sent as `now + offset`. */
  constructor(offset: number) {
    this.#offset = offset;
  }

  /** True once both ends have sent the option in their SYN. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** The value to echo. */
  get recent(): number {
    return this.#recent;
  }

  /** Records the timestamp of the peer's SYN. */
  start(timestamp: number, now: number): void {
    this.#isOn = true;
    this.#recent = timestamp;
    this.#recentAt = now;
  }

  /** Returns the value for a segment sent now. */
  value(now: number): number {
    return (Math.floor(now) + this.#offset) >>> 0;
  }

  /** Returns the time since the segment with the timestamp `echo` was sent; `undefined` if it is not one of ours. */
  since(echo: number, now: number): number | undefined {
    const elapsed = sequenceDistance(this.value(now), echo);
    return this.#isOn && elapsed >= 0 && elapsed < recentValidMs ? elapsed : undefined;
  }

  /** Returns true if a segment with `timestamp` is older than an earlier received one (PAWS, RFC 7323 §5.3). */
  isOld(timestamp: number, now: number): boolean {
    if (!this.#isOn || now - this.#recentAt > recentValidMs) return false;
    return sequenceDistance(timestamp, this.#recent) < 0;
  }

  /**
   * Records the timestamp of an acceptable segment: the caller has compared its sequence number with the last sent
   * ACK (RFC 7323 §4.3).
   */
  received(timestamp: number, now: number): void {
    if (sequenceDistance(timestamp, this.#recent) < 0 && now - this.#recentAt <= recentValidMs) {
      return;
    }
    this.#recent = timestamp;
    this.#recentAt = now;
  }
}
