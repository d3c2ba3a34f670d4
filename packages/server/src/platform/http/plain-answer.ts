import { STATUS_CODES } from "node:http";

import { answerOf } from "./error-answer.ts";
import type { HttpError } from "./errors.ts";
import { encodeJson } from "./json.ts";

/** Encodes a refusal as the whole response on a connection that is closed then, where no request was read. */
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
