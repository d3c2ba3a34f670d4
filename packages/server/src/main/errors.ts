/** The server cannot start; the message says what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly code: "data-directory-in-use" | "address-in-use" | "no-agent-program";

  constructor(
    code: StartError["code"],
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
