/**
 * An error with a literal code for its cause. A subclass also sets `name` to a literal: class names do not survive
 * bundling. `wire` has a copy, since it has no imports.
 */
export abstract class CodedError<Code extends string> extends Error {
  abstract override readonly name: string;
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Returns the messages of an error and its causes, joined with `: `, for logs and for people. */
export function errorText(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 8 && current !== undefined; depth += 1) {
    if (!(current instanceof Error)) {
      // oxlint-disable-next-line typescript/no-base-to-string -- not an error; any text is better than none
      parts.push(String(current));
      break;
    }
    // Node's AggregateError of a failed connect has an empty message.
    const text =
      current instanceof AggregateError && current.message === ""
        ? errorText(current.errors[0])
        : current.message;
    if (text !== "" && !parts.some((part) => part.includes(text))) parts.push(text);
    current = current.cause;
  }
  return parts.join(": ");
}

/** Returns the code of a system error, such as `ENOENT`; undefined for any other error. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Returns whether an error or one of its causes has one of the codes. */
export function hasSystemErrorCode(error: unknown, codes: ReadonlySet<string>): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; depth += 1) {
    if (codes.has(systemErrorCode(cause) ?? "")) return true;
    cause = cause.cause;
  }
  return false;
}
