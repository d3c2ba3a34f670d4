/** A failure to start the server; the message says what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly code:
    | "data-directory-in-use"
    | "data-directory-unusable"
    | "address-in-use"
    | "address-refused"
    | "no-database"
    | "secret-key-missing";

  constructor(code: StartError["code"], message: string) {
    super(message);
    this.code = code;
  }
}
