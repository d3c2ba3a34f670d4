import { CodedError, systemErrorCode } from "@slipway/runtime";

/**
 * - `invalid`: the request is wrong in itself, such as a path that is not absolute.
 * - `wrong-type`: the path names something else than the operation needs.
 * - `not-found`: nothing has that path.
 * - `exists`: something has that path already, and may not be replaced.
 * - `changed`: the file is not the one that the caller knows.
 * - `too-large`: a limit is exceeded, which the message names.
 * - `unmatched`: the text of an edit occurs nowhere, or more often than permitted.
 */
export type FileErrorCode =
  | "invalid"
  | "wrong-type"
  | "not-found"
  | "exists"
  | "changed"
  | "too-large"
  | "unmatched";

/** A refused operation on a file. Others fail with the errors of the system. */
export class FileError extends CodedError<FileErrorCode> {
  override readonly name = "FileError";
}

/** An error of the system, with the path that people know instead of the one that was opened. */
class PathError extends CodedError<string> {
  override readonly name = "PathError";
  readonly reason: string;

  constructor(code: string, { path, reason, cause }: PathErrorOptions) {
    super(code, `${path}: ${reason}`, { cause });
    this.reason = reason;
  }
}

interface PathErrorOptions {
  readonly path: string;
  /** The reason without a path, such as `permission denied`. */
  readonly reason: string;
  readonly cause: unknown;
}

/** Returns the error of an operation on a path, for people who know the path by this text. */
export function namedError(path: string, error: unknown): unknown {
  if (error instanceof FileError) return new FileError(error.code, `${path}: ${error.message}`);
  const code = systemErrorCode(error);
  if (code === undefined || !(error instanceof Error)) return error;
  return new PathError(code, { path, reason: reasonOf(error), cause: error });
}

function reasonOf(error: Error): string {
  if (error instanceof PathError) return error.reason;
  // The message of the system has the code, the reason and the path: `EACCES: permission denied, open '…'`.
  const [reason = error.message] = error.message.replace(/^[A-Z\d]+: /, "").split(", ", 1);
  return reason;
}
