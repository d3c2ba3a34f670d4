/**
 * An error that tells by a literal which of several things happened. A subclass sets `name` to a literal too: the name
 * of a class does not survive bundling. `runtime` has a copy, since this package imports none.
 */
export abstract class CodedError<Code extends string> extends Error {
  abstract override readonly name: string;
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
