import type { Scoreboard } from "./scoreboard.ts";
import type { SentSegment } from "./sent-segment.ts";

/**
 * DupThresh (RFC 8985 §3.3.2): with this many reported segments, it does not wait for reordering unless reordering
 * was seen.
 */
const duplicateThreshold = 3;
/** The number of recoveries for which a wider reordering window is kept (RFC 8985 §6.2 step 4). */
const persistRecoveries = 16;

/** The parameters of the connection that determine the reordering window. */
export interface RackPath {
  readonly isRecovering: boolean;
  readonly lowestRttMs: number;
  readonly smoothedRttMs: number;
}

/**
 * Finds losses by time (RACK, RFC 8985 §6): a segment is lost if one sent sufficiently later has arrived. Times are
 * milliseconds.
 */
export class Rack {
  /** The latest sent segment that is known to have arrived. */
  #sentAt = Number.NEGATIVE_INFINITY;
  #end = 0;
  #rttMs = 0;
  /** RACK.fack: the highest end of a segment that has arrived. */
  #highest = 0;
  #hasReordering = false;
  /**
   * The reordering window in quarters of the lowest RTT, and the number of recoveries after which it returns to one
   * quarter.
   */
  #quarters = 1;
  #persist = persistRecoveries;
  /** The offset up to which a DSACK has widened the window; further ones below it do not widen it. */
  #duplicateRoundEnd: number | undefined;
  #deadline = Number.POSITIVE_INFINITY;

  /** The time at which `detectLosses` may find more. */
  get deadline(): number {
    return this.#deadline;
  }

  /**
   * Handles a segment that has arrived (steps 2 and 3). `isOfEarlierTransmission` means that the peer's timestamp is
   * older than the segment's latest transmission.
   */
  delivered(
    segment: SentSegment,
    isOfEarlierTransmission: boolean,
    lowestRttMs: number,
    now: number,
  ): void {
    const rttMs = now - segment.sentAt;
    const isAmbiguous = isOfEarlierTransmission || rttMs < lowestRttMs;
    if (segment.isRetransmitted && isAmbiguous) return;
    if (segment.end > this.#highest) this.#highest = segment.end;
    else if (!segment.isRetransmitted) this.#hasReordering = true;
    if (segment.wasSentAfter(this.#sentAt, this.#end)) {
      this.#sentAt = segment.sentAt;
      this.#end = segment.end;
      this.#rttMs = rttMs;
    }
  }

  /**
   * Widens the reordering window: the peer has received a segment twice, so its retransmission was unnecessary (step
   * 4).
   */
  receivedTwice(una: number, sentEnd: number): void {
    if (this.#duplicateRoundEnd !== undefined && una < this.#duplicateRoundEnd) return;
    this.#duplicateRoundEnd = sentEnd;
    this.#quarters += 1;
    this.#persist = persistRecoveries;
  }

  /** Narrows the reordering window again after enough recoveries without an unnecessary retransmission. */
  recovered(): void {
    this.#persist -= 1;
    if (this.#persist <= 0) this.#quarters = 1;
  }

  /**
   * Marks the segments that are lost (step 5), and sets the deadline for the next that may be. Returns the number of lost
   * bytes.
   */
  detectLosses(board: Scoreboard, path: RackPath, now: number): number {
    const patienceMs = this.#rttMs + this.#reorderingWindow(board, path);
    let lostBytes = 0;
    this.#deadline = Number.POSITIVE_INFINITY;
    let segment = board.longestInFlight;
    while (segment !== undefined && !segment.wasSentAfter(this.#sentAt, this.#end)) {
      const lostAt = segment.sentAt + patienceMs;
      if (lostAt > now) {
        // All others were sent later: a peer could exploit a look at each of them for each ACK.
        this.#deadline = lostAt;
        break;
      }
      const next: SentSegment | undefined = segment.later;
      lostBytes += segment.length;
      board.lose(segment);
      segment = next;
    }
    return lostBytes;
  }

  /**
   * Marks the segments that a timeout shows to be lost: the first segment, and all that should have arrived
   * (RFC 8985 §6.3).
   */
  loseAfterTimeout(board: Scoreboard, path: RackPath, now: number): void {
    this.#deadline = Number.POSITIVE_INFINITY;
    const patienceMs = this.#rttMs + this.#reorderingWindow(board, path);
    const { first } = board;
    let segment = board.longestInFlight;
    while (segment !== undefined) {
      const next: SentSegment | undefined = segment.later;
      if (segment === first || segment.sentAt + patienceMs <= now) board.lose(segment);
      segment = next;
    }
  }

  #reorderingWindow(
    board: Scoreboard,
    { isRecovering, lowestRttMs, smoothedRttMs }: RackPath,
  ): number {
    if (!this.#hasReordering && (isRecovering || board.sackedSegments >= duplicateThreshold))
      return 0;
    return Math.min((this.#quarters * lowestRttMs) / 4, smoothedRttMs);
  }
}
