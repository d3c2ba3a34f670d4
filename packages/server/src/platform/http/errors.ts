/** A refusal in terms of HTTP, which only this folder knows; everything else throws a `Refusal`. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly code = "http-error";
  readonly status: number;
  readonly detail: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, options: HttpErrorOptions = {}) {
    super(message);
    this.status = status;
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }
}

interface HttpErrorOptions {
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
