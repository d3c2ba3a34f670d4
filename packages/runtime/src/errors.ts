/** `not-own`: a file that this process must not write, since another user may have put it there. */
export type FileErrorCode = "not-own";

export class FileError extends Error {
  override readonly name = "FileError";
  readonly code: FileErrorCode;

  constructor(code: FileErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
