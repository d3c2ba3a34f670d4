import type { AckedData, Congestion } from "./congestion.ts";
import { PathNoise } from "./path-noise.ts";
import { ProportionalReduction } from "./proportional-reduction.ts";
import type { SegmentSize } from "./segment-limit.ts";

/*
 *   open --losses found--> fast --all that was sent then is acknowledged--> open
 *     \                      \--timeout--> timeout --likewise--> open
 *      \--timeout----------------------------^
 */
type State =
  | { readonly type: "open" }
  | { readonly type: "fast"; readonly end: number; readonly reduction: ProportionalReduction }
  | { readonly type: "timeout"; readonly end: number };

/** The information in an ACK, or the effect of elapsed time. */
export interface Progress {
  /** The unacknowledged bytes in flight before it. */
  readonly flightBytes: number;
  /** True if it acknowledged new data. */
  readonly hasAdvanced: boolean;
  /** The bytes newly known to have arrived, acknowledged or reported. */
  readonly deliveredBytes: number;
  /** The bytes in flight after it. */
  readonly flyingBytes: number;
  /** The bytes newly found lost, and whether any bytes are lost at all. */
  readonly lostBytes: number;
  readonly hasLost: boolean;
  readonly acked: AckedData;
  readonly lowestRttMs: number;
  /** True if the acknowledged data was limited by the window. */
  readonly wasLimited: boolean;
}

export interface RecoveryOptions {
  /** The payload of a full segment. */
  readonly segment: SegmentSize;
  /** Attributes a few losses on an empty path to noise rather than to congestion. */
  readonly toleratesNoise: boolean;
}

/** Decides how the congestion window responds to losses: once for all data sent before it noticed them. */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #congestion: Congestion;
  readonly #noise: PathNoise;
  #state: State = { type: "open" };
  /** The time of the first retransmission of the first segment, if any, in whole milliseconds as timestamps are. */
  #firstRepeatAt: number | undefined;

  constructor(options: RecoveryOptions, congestion: Congestion) {
    this.#options = options;
    this.#congestion = congestion;
    this.#noise = new PathNoise(options.segment);
  }

  get isOpen(): boolean {
    return this.#state.type === "open";
  }

  /** Returns true if `offset` was sent before the current recovery began. */
  covers(offset: number): boolean {
    return this.#state.type !== "open" && offset < this.#state.end;
  }

  /** Notes bytes that are sent now, for the first time or again. */
  sent(byteCount: number, isRepeat: boolean, now: number): void {
    if (isRepeat && this.#state.type !== "open") this.#firstRepeatAt ??= Math.floor(now);
    if (this.#state.type === "fast") this.#state.reduction.sent(byteCount);
  }

  /** Sets the window after an ACK, or after losses detected by time. Returns what began or ended. */
  progressed(progress: Progress, now: number): "began" | "ended" | "nothing" {
    const { acked, flightBytes, lowestRttMs } = progress;
    this.#noise.acknowledged(acked.una, acked.sentEnd, acked.rttMs);
    const wasOpen = this.#state.type === "open";
    let { lostBytes } = progress;
    let isOver = false;
    if (!wasOpen || lostBytes === 0) {
      isOver = this.#advance(progress, now);
      // Data lost when a recovery ends was sent during it.
      lostBytes = isOver && progress.hasLost ? Math.max(lostBytes, this.#options.segment.bytes) : 0;
    }
    if (lostBytes > 0) {
      const isNoise =
        this.#options.toleratesNoise && this.#noise.explains(lostBytes, flightBytes, lowestRttMs);
      if (!isNoise) {
        this.#begin(progress);
        return "began";
      }
      this.#congestion.lose(lostBytes, flightBytes);
    }
    return isOver ? "ended" : "nothing";
  }

  /** Lowers the window for a loss that the probe has repaired (RFC 8985 §7.4). */
  repaired(): void {
    if (this.#state.type !== "open") return;
    this.#congestion.reduce();
    this.#congestion.setWindow(this.#congestion.threshold);
  }

  /** Responds to a timeout: the window is one segment (RFC 5681 §3.1). */
  timedOut(sentEnd: number): void {
    // A second timeout for the same data lowers the threshold no further.
    if (this.#state.type !== "timeout") {
      this.#congestion.reduce();
      this.#firstRepeatAt = undefined;
    }
    this.#congestion.setWindow(this.#options.segment.bytes);
    this.#state = { type: "timeout", end: sentEnd };
  }

  /**
   * Ends a recovery that the peer's timestamp proves unnecessary: it acknowledges new data in answer to a segment of
   * the time `echoedAt`, before the first retransmission (Eifel, RFC 3522). Returns true if it did.
   */
  endIfNeedless(echoedAt: number): boolean {
    if (this.#state.type === "open" || this.#firstRepeatAt === undefined) return false;
    if (echoedAt >= this.#firstRepeatAt) return false;
    this.#state = { type: "open" };
    this.#congestion.restore();
    return true;
  }

  #begin(progress: Progress): void {
    const { flightBytes, acked } = progress;
    this.#congestion.reduce();
    const reduction = new ProportionalReduction(this.#options.segment.bytes, flightBytes);
    this.#state = { type: "fast", end: acked.sentEnd, reduction };
    this.#firstRepeatAt = undefined;
    this.#reduce(reduction, progress, true);
  }

  /** Sets the window as if nothing new was lost; true if a recovery ended. */
  #advance(progress: Progress, now: number): boolean {
    const { acked } = progress;
    const isOver = this.#state.type !== "open" && acked.una >= this.#state.end;
    if (isOver) {
      if (this.#state.type === "fast") this.#congestion.setWindow(this.#congestion.threshold);
      this.#state = { type: "open" };
    } else if (this.#state.type === "fast") {
      this.#reduce(this.#state.reduction, progress, false);
    } else if (progress.hasAdvanced && progress.wasLimited) {
      this.#congestion.grow(acked, now);
    }
    return isOver;
  }

  #reduce(reduction: ProportionalReduction, progress: Progress, isFirst: boolean): void {
    const { deliveredBytes, flyingBytes, lostBytes, hasAdvanced } = progress;
    const isSafe = hasAdvanced && lostBytes === 0;
    const ack = { deliveredBytes, flyingBytes, isSafe };
    this.#congestion.setWindow(reduction.window(ack, this.#congestion.threshold, isFirst));
  }
}
