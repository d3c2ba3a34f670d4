/**
 * An error with a literal code for its cause. A subclass also sets `name` to a literal: class names do not survive
 * bundling. `runtime` has a copy, since this package has no imports.
 */
export abstract class CodedError<Code extends string> extends Error {
  abstract override readonly name: string;
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
