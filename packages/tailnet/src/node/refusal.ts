import type { IncomingMessage } from "node:http";

import { RelayError } from "../relay/errors.ts";

/** The bytes that are read of the body of a refusal. */
const maxBodyBytes = 1_024;

/** Returns the error of an answer that is no upgrade, with its status and the beginning of its text. */
export async function readRefusal(response: IncomingMessage): Promise<RelayError> {
  const status = response.statusCode ?? 0;
  let text = "";
  try {
    for await (const chunk of response.setEncoding("utf8")) {
      text += String(chunk);
      if (text.length >= maxBodyBytes) break;
    }
  } catch {
    // The status says enough when the text is lost on the way.
  }
  const body = text.slice(0, maxBodyBytes).trim();
  const reason = `${String(status)} ${response.statusMessage ?? ""}`.trim();
  const message = body === "" ? reason : `${reason}: ${body}`;
  return new RelayError("upgrade", message, { status });
}
