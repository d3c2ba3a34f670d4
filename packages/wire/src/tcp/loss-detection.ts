import type { Delivery } from "./delivery.ts";
import { Rack } from "./rack.ts";
import type { RttEstimator } from "./rtt-estimator.ts";
import type { Scoreboard } from "./scoreboard.ts";
import type { SentSegment } from "./sent-segment.ts";

/** The number of duplicate ACKs that indicate a loss if the peer does not send reports (RFC 5681 §3.2). */
const duplicateThreshold = 3;

/** The information in an ACK, for a peer that does not send reports. */
export interface PlainAck {
  /** True if it carries no information: the same acknowledgment and window as before, no data. */
  readonly isDuplicate: boolean;
  /** True if it acknowledges new data. */
  readonly hasAdvanced: boolean;
  /** True if it leaves data unacknowledged that was sent before the current recovery began. */
  readonly isPartial: boolean;
}

/** Finds lost segments: by RACK if the peer sends reports, by duplicate ACKs otherwise. */
export class LossDetection {
  readonly #board: Scoreboard;
  readonly #rtt: RttEstimator;
  readonly #hasSack: boolean;
  readonly #rack = new Rack();
  #duplicates = 0;

  constructor(board: Scoreboard, rtt: RttEstimator, hasSack: boolean) {
    this.#board = board;
    this.#rtt = rtt;
    this.#hasSack = hasSack;
  }

  /** The time at which `find` may find more. */
  get deadline(): number {
    return this.#rack.deadline;
  }

  /** Handles a segment that has arrived. */
  delivered(segment: SentSegment, delivery: Delivery, now: number): void {
    this.#rack.delivered(segment, delivery.isBefore(segment), this.#rtt.lowest, now);
  }

  /** Notes that the peer has received data twice. */
  receivedTwice(una: number, sentEnd: number): void {
    this.#rack.receivedTwice(una, sentEnd);
  }

  /** Notes the end of a recovery. */
  recovered(): void {
    this.#rack.recovered();
  }

  /** Marks the segments that an ACK shows to be lost, and returns the number of their bytes. */
  findAfter(ack: PlainAck, isRecovering: boolean, now: number): number {
    return this.#hasSack ? this.find(isRecovering, now) : this.#countDuplicates(ack);
  }

  /** Marks the segments that should have arrived by now, and returns the number of their bytes. */
  find(isRecovering: boolean, now: number): number {
    return this.#rack.detectLosses(this.#board, this.#path(isRecovering), now);
  }

  /** Marks the segments that a timeout shows to be lost. */
  timedOut(isRecovering: boolean, now: number): void {
    // The peer has dropped data that it had reported (RFC 2018 §8), or lied.
    if (this.#board.first?.state === "sacked") this.#board.forgetSacks();
    this.#rack.loseAfterTimeout(this.#board, this.#path(isRecovering), now);
  }

  /** NewReno: three duplicates, then acknowledgments that leave a gap (RFC 6582). */
  #countDuplicates({ isDuplicate, hasAdvanced, isPartial }: PlainAck): number {
    if (hasAdvanced) this.#duplicates = 0;
    if (isDuplicate) this.#duplicates += 1;
    const { first } = this.#board;
    const isLost = isPartial || (isDuplicate && this.#duplicates === duplicateThreshold);
    if (!isLost || first?.state !== "flying") return 0;
    this.#board.lose(first);
    return first.length;
  }

  #path(isRecovering: boolean) {
    const { lowest, smoothed, timeout } = this.#rtt;
    return { isRecovering, lowestRttMs: lowest, smoothedRttMs: smoothed ?? timeout };
  }
}
