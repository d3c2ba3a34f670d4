import type { IncomingMessage } from "node:http";

import { certificateFor, httpModule, readBounded, withSystemAuthorities } from "@slipway/runtime";

/** One request whose answer is small. */
export interface TextRequest {
  readonly method: "GET" | "PUT" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface TextResponse {
  readonly status: number;
  /** The whole body, unchanged; undefined if it is longer than the limit. */
  readonly text: string | undefined;
}

export const maxAnswerBytes = 1024 * 1024;

/**
 * Sends one request over a separate connection and reads the whole answer. The request goes to the URL's host itself:
 * neither a proxy of the environment nor a redirect leads it elsewhere. Rejects if no answer comes, or the signal is
 * aborted.
 */
export async function requestText(
  url: URL,
  options: TextRequest,
  signal: AbortSignal,
): Promise<TextResponse> {
  const response = await withSystemAuthorities(() => send(url, options, signal));
  try {
    return { status: response.statusCode ?? 0, text: await readText(response) };
  } finally {
    response.destroy();
  }
}

function send(
  url: URL,
  { method, headers, body }: TextRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { request } = httpModule(url.protocol !== "https:");
    const options = { ...certificateFor(url), method, headers, signal, agent: false } as const;
    request(url, options, resolve).on("error", reject).end(body);
  });
}

async function readText(response: IncomingMessage): Promise<string | undefined> {
  return (await readBounded(response, maxAnswerBytes))?.toString();
}
