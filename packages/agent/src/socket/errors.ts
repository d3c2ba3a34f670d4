export type UnitErrorCode =
  | "no-name"
  | "long-name"
  | "unknown-unit"
  | "same-status"
  | "not-ready"
  | "cycle"
  | "too-many";

/** A change of units that was refused; nothing has changed. */
export class UnitError extends Error {
  override readonly name = "UnitError";
  readonly code: UnitErrorCode;

  constructor(code: UnitErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The agent's socket could not be opened. */
export class SocketError extends Error {
  override readonly name = "SocketError";
  readonly code: "in-use" | "not-a-socket";

  constructor(code: SocketError["code"], message: string) {
    super(message);
    this.code = code;
  }
}
