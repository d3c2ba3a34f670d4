import type { ErrorBody, Validation } from "@slipway/api";

/** A refused request: status and body of the answer (docs/protocol/rest.md §1.6). */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly code = "http-error";
  readonly status: number;
  readonly detail: string | undefined;
  readonly validations: readonly Validation[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, options: HttpErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.status = status;
    this.detail = options.detail;
    this.validations = options.validations ?? [];
    this.headers = options.headers ?? {};
  }

  get body(): ErrorBody {
    return {
      message: this.message,
      ...(this.detail === undefined ? {} : { detail: this.detail }),
      ...(this.validations.length === 0 ? {} : { validations: [...this.validations] }),
    };
  }
}

interface HttpErrorOptions {
  readonly detail?: string;
  readonly validations?: readonly Validation[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** Returns the 404 for things that do not exist, or that the caller may not know of. */
export function notFound(): HttpError {
  return new HttpError(404, "Resource not found or you do not have access to this resource");
}

/** Resolves to the result, or to undefined if it was not found; throws any other error, such as an outage. */
export async function ifFound<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (error instanceof HttpError && error.status === 404) return undefined;
    throw error;
  }
}

/** Returns the error of one invalid field of a request. */
export function invalidField(field: string, detail: string): HttpError {
  return invalidFields([{ field, detail }]);
}

export function invalidFields(validations: readonly Validation[]): HttpError {
  return new HttpError(400, "Validation failed.", { validations });
}

export function forbidden(detail: string): HttpError {
  return new HttpError(403, "Forbidden.", { detail });
}
