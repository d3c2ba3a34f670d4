import type { SegmentSize } from "./segment-limit.ts";

/** Constants of RFC 9438 §5.1 and §4.6: C in segments per cubic second, and the factor of a decrease. */
const scaling = 0.4;
export const cubicDecrease = 0.7;

/** The growth in segments per round trip that makes CUBIC as fast as Reno (RFC 9438 §4.3). */
const renoGrowth = (3 * (1 - cubicDecrease)) / (1 + cubicDecrease);

/** A period of growth since the last decrease, or since slow start ended without one. Windows are bytes. */
interface Epoch {
  startedAt: number;
  /** The size of the segments, on which the curve depends. */
  readonly segmentBytes: number;
  /** The time in seconds until the window is back at the plateau. */
  readonly plateauS: number;
  readonly plateau: number;
  /** The window that Reno would have. */
  reno: number;
}

/** The growth of the congestion window outside slow start (CUBIC, RFC 9438). */
export class Cubic {
  readonly #segment: SegmentSize;
  #epoch: Epoch | undefined;
  /** W_max: the window at the last decrease, or less if the previous decrease was at a larger window. */
  #plateau = 0;
  /** The window before the last decrease. */
  #before = 0;

  constructor(segment: SegmentSize) {
    this.#segment = segment;
  }

  /** Returns the window in bytes after the peer has acknowledged `ackedBytes` more (RFC 9438 §4.2 to §4.5). */
  grow(window: number, ackedBytes: number, rttMs: number, now: number): number {
    const epoch = this.#epochOf(window, now);
    const elapsedS = (now - epoch.startedAt) / 1000;
    const growth = (epoch.reno >= this.#before ? 1 : renoGrowth) * epoch.segmentBytes;
    epoch.reno += growth * (ackedBytes / window);
    if (curve(epoch, elapsedS) < epoch.reno) return Math.max(window, epoch.reno);
    const target = Math.min(Math.max(curve(epoch, elapsedS + rttMs / 1000), window), window * 1.5);
    return window + ((target - window) / window) * ackedBytes;
  }

  /** Notes a decrease from a window, with fast convergence (RFC 9438 §4.7). */
  decreased(window: number): void {
    this.#plateau = window < this.#plateau ? (window * (1 + cubicDecrease)) / 2 : window;
    this.#before = window;
    this.#epoch = undefined;
  }

  /** Restarts without a plateau, as after a spurious timeout. */
  forgetEpoch(): void {
    this.#epoch = undefined;
  }

  /** Leaves out a period in which the application sent less than it could (RFC 9438 §5.8). */
  skip(idleMs: number): void {
    if (this.#epoch !== undefined) this.#epoch.startedAt += idleMs;
  }

  /** Returns the current epoch. Another segment size begins a new one, since it changes the shape of the curve. */
  #epochOf(window: number, now: number): Epoch {
    const segmentBytes = this.#segment.bytes;
    if (this.#epoch?.segmentBytes === segmentBytes) return this.#epoch;
    const plateau = Math.max(this.#plateau, window);
    const plateauS = Math.cbrt((plateau - window) / (scaling * segmentBytes));
    this.#epoch = { startedAt: now, segmentBytes, plateauS, plateau, reno: window };
    return this.#epoch;
  }
}

/** Returns W_cubic at a time after the beginning of the epoch. */
function curve(epoch: Epoch, elapsedS: number): number {
  return scaling * epoch.segmentBytes * (elapsedS - epoch.plateauS) ** 3 + epoch.plateau;
}
