/** A file that is not the one that a call requires: it has changed, or exists already. */
export class FileChangedError extends Error {
  override readonly name = "FileChangedError";
  readonly code = "file-changed";
  readonly retryable = false;
  readonly admitted = "no";
  readonly path: string;

  constructor(path: string, options: { readonly cause: unknown }) {
    super(`${path} is not the file that was expected: it has changed, or exists already`, options);
    this.path = path;
  }
}
