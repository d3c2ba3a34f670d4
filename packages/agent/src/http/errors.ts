import type { ErrorBody, Validation } from "@slipway/api/contract/api-error";

interface ApiErrorOptions {
  readonly detail?: string;
  /** The rejected fields of the query. */
  readonly validations?: readonly Validation[];
  /** The kind of the error, for programs. */
  readonly reason?: string;
  readonly cause?: unknown;
}

/** An error response; its texts are for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code = "refused";
  readonly status: number;
  readonly detail: string | undefined;
  readonly validations: readonly Validation[];
  readonly reason: string | undefined;

  constructor(status: number, message: string, options: ApiErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.status = status;
    this.detail = options.detail;
    this.validations = options.validations ?? [];
    this.reason = options.reason;
  }

  /** The body of the response. */
  get body(): ErrorBody {
    const { message, detail, validations, reason } = this;
    return {
      message,
      ...(detail === undefined ? {} : { detail }),
      ...(validations.length === 0 ? {} : { validations: [...validations] }),
      ...(reason === undefined ? {} : { code: reason }),
    };
  }
}
