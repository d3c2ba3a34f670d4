/** The reason that a connection is of no more use: the peer closed it, or it said nothing for too long. */
export type ConnectionErrorCode = "closed" | "silent";

export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code: ConnectionErrorCode;

  constructor(
    code: ConnectionErrorCode,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
    this.code = code;
  }
}
