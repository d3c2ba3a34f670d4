import { Cubic, cubicDecrease } from "./cubic.ts";
import { HyStart } from "./hystart.ts";
import type { SegmentSize } from "./segment-limit.ts";

/** The initial window (RFC 6928 §2): this many segments, but of large ones no more than this many bytes or two. */
const initialSegments = 10;
const initialBytes = 14_600;
/** The minimum window after a decrease, in segments (RFC 5681 §3.1). */
const leastSegments = 2;

/** An ACK of new data, outside recovery. */
export interface AckedData {
  /** The bytes by which the acknowledgment advanced, except those reported earlier. */
  readonly bytes: number;
  /** The offset up to which data is acknowledged, and up to which it was sent. */
  readonly una: number;
  readonly sentEnd: number;
  /** The RTT of this ACK, if it was measured. */
  readonly rttMs: number | undefined;
  /** SRTT. */
  readonly smoothedRttMs: number;
}

/*
 *   slow start --HyStart++ or a loss--> congestion avoidance --timeout, long idle--> slow start up to the threshold
 */
/** The congestion window: slow start with HyStart++, then CUBIC. Sizes are bytes. */
export class Congestion {
  readonly #segment: SegmentSize;
  readonly #hystart: HyStart;
  readonly #cubic: Cubic;
  #window: number;
  #threshold = Number.POSITIVE_INFINITY;
  /** The state before the last decrease, restored if the decrease proves unnecessary. */
  #before: { readonly window: number; readonly threshold: number } | undefined;

  constructor(segment: SegmentSize) {
    this.#segment = segment;
    this.#hystart = new HyStart(segment);
    this.#cubic = new Cubic(segment);
    this.#window = this.#initialWindow;
  }

  get window(): number {
    return this.#window;
  }

  /** The slow start threshold; after a decrease, the target window. */
  get threshold(): number {
    return this.#threshold;
  }

  get isSlowStart(): boolean {
    return this.#window < this.#threshold;
  }

  /** Grows the window after an ACK of data that was limited by the window. */
  grow(acked: AckedData, now: number): void {
    if (!this.isSlowStart) {
      this.#window = this.#cubic.grow(this.#window, acked.bytes, acked.smoothedRttMs, now);
    } else if (Number.isFinite(this.#threshold)) {
      this.#window = Math.min(this.#window + acked.bytes, this.#threshold);
    } else {
      this.#window += this.#hystart.acknowledged(
        acked.una,
        acked.sentEnd,
        acked.bytes,
        acked.rttMs,
      );
      if (this.#hystart.isDone) this.#threshold = this.#window;
    }
  }

  /**
   * Responds to a loss: sets the threshold, to which recovery brings the window. It uses the window itself rather
   * than the bytes in flight (RFC 9438 §4.6): the window grows only while it is in use, and shrinks when it is not.
   */
  reduce(): void {
    this.#before = { window: this.#window, threshold: this.#threshold };
    this.#cubic.decreased(this.#window);
    const least = leastSegments * this.#segment.bytes;
    this.#threshold = Math.max(this.#window * cubicDecrease, least);
  }

  /** Lowers the window by the share of the flight that a noisy path has lost, to the delivered bytes. */
  lose(lostBytes: number, flightBytes: number): void {
    this.setWindow(this.#window * (1 - lostBytes / flightBytes));
  }

  /** Sets the window during recovery and at its end. */
  setWindow(bytes: number): void {
    this.#window = Math.max(bytes, this.#segment.bytes);
  }

  /** Reverts the last `reduce`: nothing was lost (RFC 9438 §4.9). */
  restore(): void {
    if (this.#before === undefined) return;
    this.#window = Math.max(this.#window, this.#before.window);
    this.#threshold = Math.max(this.#threshold, this.#before.threshold);
    this.#before = undefined;
    this.#cubic.forgetEpoch();
  }

  /**
   * Lowers the window after an idle time, by half for each timeout, but not below the initial window (RFC 5681 §4.1).
   */
  idle(idleMs: number, timeoutMs: number): void {
    this.#cubic.skip(idleMs);
    if (idleMs < timeoutMs) return;
    const initial = Math.min(this.#initialWindow, this.#window);
    const halved = this.#window / 2 ** Math.floor(idleMs / timeoutMs);
    this.#threshold = Math.max(this.#threshold, (this.#window * 3) / 4);
    this.#window = Math.max(initial, halved);
  }

  get #initialWindow(): number {
    const { bytes } = this.#segment;
    return Math.min(initialSegments * bytes, Math.max(leastSegments * bytes, initialBytes));
  }
}
