/** An error response; `message` and `detail` are for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code = "refused";
  readonly status: number;
  readonly detail: string | undefined;

  constructor(status: number, message: string, detail?: string) {
    super(message);
    this.status = status;
    this.detail = detail;
  }
}
