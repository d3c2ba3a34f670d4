import { STATUS_CODES } from "node:http";

import type { ErrorBody, Validation } from "@slipway/api/contract/api-error";

import { Refusal, type RefusalCode, type RefusalFacts, SeveralSessions } from "../errors/errors.ts";
import { HttpError } from "./errors.ts";
import { encodeJson } from "./json.ts";

/** The answer to a request that is not carried out (docs/protocol/rest.md §1.6). */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
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
  "no-space": 507,
};

export function statusOf({ code }: Refusal): number {
  return statuses[code];
}

export function answerOf(error: Refusal | HttpError): ErrorAnswer {
  if (error instanceof HttpError) {
    return answer(error.status, error.headers, bodyOf(error));
  }
  return answer(statusOf(error), headersOf(error), bodyOf(error));
}

/** Returns an answer. A client over its limit also loses its connection, with the requests that it has already sent. */
function answer(status: number, headers: ErrorAnswer["headers"], body: ErrorBody): ErrorAnswer {
  return { status, headers: status === 429 ? { ...headers, Connection: "close" } : headers, body };
}

/** Returns the answer for an error that was thrown; undefined if it is a fault of the server. */
export function findAnswer(error: unknown): ErrorAnswer | undefined {
  return error instanceof Refusal || error instanceof HttpError ? answerOf(error) : undefined;
}

interface ErrorTexts {
  readonly message: string;
  readonly detail: string | undefined;
  readonly validations?: readonly Validation[];
  readonly facts?: RefusalFacts | undefined;
}

function bodyOf({ message, detail, validations = [], facts }: ErrorTexts): ErrorBody {
  return {
    message,
    ...(detail === undefined ? {} : { detail }),
    ...(validations.length === 0 ? {} : { validations: [...validations] }),
    ...facts,
  };
}

function headersOf(refusal: Refusal): Record<string, string | string[]> {
  const { challenge, retryAfterSeconds } = refusal;
  return {
    ...(refusal instanceof SeveralSessions ? { "Set-Cookie": [...refusal.cookies] } : {}),
    ...(challenge === undefined ? {} : { "WWW-Authenticate": challenge }),
    ...(retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) }),
  };
}

/** Encodes a refusal as the whole response on a connection where no request was read, and which is then closed. */
export function plainAnswer(refusal: HttpError): string {
  const { status, headers, body } = answerOf(refusal);
  const text = encodeJson(body);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    ...Object.entries(headers).flatMap(([name, values]) =>
      [values].flat().map((value) => `${name}: ${value}`),
    ),
    "Content-Type: application/json; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(text)}`,
    "Connection: close",
    "",
    text,
  ].join("\r\n");
}
