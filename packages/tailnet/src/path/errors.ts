/**
 * The reason for which a ping was refused or ended:
 * - `unknown-peer`: nobody with that key is known.
 * - `too-many-pings`: too many pings of that peer wait.
 * - `peer-removed`: the peer was removed, or began anew.
 * - `closed`: the driver is closed.
 */
export type PathErrorCode = "unknown-peer" | "too-many-pings" | "peer-removed" | "closed";

const retryableCodes: ReadonlySet<PathErrorCode> = new Set(["too-many-pings", "peer-removed"]);

export class PathError extends Error {
  override readonly name = "PathError";
  readonly code: PathErrorCode;

  constructor(code: PathErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** The same call may succeed later. */
  get retryable(): boolean {
    return retryableCodes.has(this.code);
  }
}
