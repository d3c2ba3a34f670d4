/** Constants of RFC 9438 §5.1 and §4.6: C in segments per cubic second, and the factor of a decrease. */
const scaling = 0.4;
export const cubicDecrease = 0.7;

/** The growth in segments a round trip that makes CUBIC as fast as Reno (RFC 9438 §4.3). */
const renoGrowth = (3 * (1 - cubicDecrease)) / (1 + cubicDecrease);

/** The growth since the last decrease, or since slow start ended without one. Windows are segments. */
interface Epoch {
  startedAt: number;
  /** The time in seconds until the window is back at the plateau. */
  readonly plateauS: number;
  readonly plateau: number;
  /** The window that Reno would have. */
  reno: number;
}

/** The growth of the congestion window outside slow start (CUBIC, RFC 9438). */
export class Cubic {
  readonly #segmentBytes: number;
  #epoch: Epoch | undefined;
  /** W_max: the window at the last decrease, or below it if the one before was higher. */
  #plateau = 0;
  /** The window before the last decrease. */
  #before = 0;

  constructor(segmentBytes: number) {
    this.#segmentBytes = segmentBytes;
  }

  /** Returns the window in bytes after the peer has acknowledged `ackedBytes` more (RFC 9438 §4.2 to §4.5). */
  grow(windowBytes: number, ackedBytes: number, rttMs: number, now: number): number {
    const window = windowBytes / this.#segmentBytes;
    const acked = ackedBytes / this.#segmentBytes;
    const epoch = (this.#epoch ??= this.#begin(window, now));
    const elapsedS = (now - epoch.startedAt) / 1000;
    epoch.reno += (epoch.reno >= this.#before ? 1 : renoGrowth) * (acked / window);
    if (curve(epoch, elapsedS) < epoch.reno)
      return Math.max(window, epoch.reno) * this.#segmentBytes;
    const target = Math.min(Math.max(curve(epoch, elapsedS + rttMs / 1000), window), window * 1.5);
    return windowBytes + ((target - window) / window) * ackedBytes;
  }

  /** Notes a decrease from a window of `windowBytes`, with fast convergence (RFC 9438 §4.7). */
  decreased(windowBytes: number): void {
    const window = windowBytes / this.#segmentBytes;
    this.#plateau = window < this.#plateau ? (window * (1 + cubicDecrease)) / 2 : window;
    this.#before = window;
    this.#epoch = undefined;
  }

  /** Starts anew without a plateau, as after a timeout that turned out to be none. */
  forgetEpoch(): void {
    this.#epoch = undefined;
  }

  /** Leaves out a time in which the application sent less than it could (RFC 9438 §5.8). */
  skip(idleMs: number): void {
    if (this.#epoch !== undefined) this.#epoch.startedAt += idleMs;
  }

  #begin(window: number, now: number): Epoch {
    const plateau = Math.max(this.#plateau, window);
    const plateauS = Math.cbrt((plateau - window) / scaling);
    return { startedAt: now, plateauS, plateau, reno: window };
  }
}

/** Returns W_cubic at a time after the beginning of the epoch. */
function curve(epoch: Epoch, elapsedS: number): number {
  return scaling * (elapsedS - epoch.plateauS) ** 3 + epoch.plateau;
}
