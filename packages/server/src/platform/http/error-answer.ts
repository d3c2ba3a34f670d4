import type { ErrorBody, Validation } from "@slipway/api";

import { Refusal, type RefusalCode } from "../errors/errors.ts";
import { HttpError } from "./errors.ts";

/** The answer to a request that is not carried out (docs/protocol/rest.md §1.6). */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
}

const statuses: Readonly<Record<RefusalCode, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  "not-found": 404,
  "not-ready": 406,
  conflict: 409,
  "limit-reached": 409,
  gone: 410,
  "precondition-failed": 412,
  "too-large": 413,
  unprocessable: 422,
  "rate-limited": 429,
  "too-many-at-once": 429,
  unreachable: 500,
  unavailable: 503,
};

export function statusOf({ code }: Refusal): number {
  return statuses[code];
}

export function answerOf(error: Refusal | HttpError): ErrorAnswer {
  if (error instanceof HttpError) {
    return { status: error.status, headers: error.headers, body: bodyOf(error) };
  }
  return { status: statusOf(error), headers: headersOf(error), body: bodyOf(error) };
}

/** Returns the answer for an error that was thrown; undefined if it is a fault of the server. */
export function findAnswer(error: unknown): ErrorAnswer | undefined {
  return error instanceof Refusal || error instanceof HttpError ? answerOf(error) : undefined;
}

interface ErrorTexts {
  readonly message: string;
  readonly detail: string | undefined;
  readonly validations?: readonly Validation[];
}

function bodyOf({ message, detail, validations = [] }: ErrorTexts): ErrorBody {
  return {
    message,
    ...(detail === undefined ? {} : { detail }),
    ...(validations.length === 0 ? {} : { validations: [...validations] }),
  };
}

function headersOf({ challenge, retryAfterSeconds }: Refusal): Record<string, string> {
  return {
    ...(challenge === undefined ? {} : { "WWW-Authenticate": challenge }),
    ...(retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) }),
  };
}
