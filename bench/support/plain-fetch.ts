import { Agent, type IncomingMessage, request as sendRequest } from "node:http";

import type { ClientFetch, ClientRequest, ClientResponse } from "@slipway/sdk/http";

/**
 * Returns a `fetch` over kept-alive connections, without the streams and copies of Node's own: the measured machine
 * also makes the requests, which real clients make elsewhere. The connections end with the process.
 */
export function openPlainFetch(): ClientFetch {
  const agent = new Agent({ keepAlive: true });
  return (url, { method, headers, body, signal }) => {
    const { promise, resolve, reject } = Promise.withResolvers<ClientResponse>();
    if (body !== undefined && !isWhole(body)) throw new TypeError("a benchmark sends whole bodies");
    const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
    sendRequest(url, { agent, method, headers: { ...headers, ...length }, signal })
      .on("response", (message) => void readAll(message).then(resolve, reject))
      .on("error", reject)
      .end(body);
    return promise;
  };
}

function isWhole(
  body: NonNullable<ClientRequest["body"]>,
): body is string | Uint8Array<ArrayBuffer> {
  return typeof body === "string" || body instanceof Uint8Array;
}

async function readAll(message: IncomingMessage): Promise<ClientResponse> {
  const { statusCode: status = 0, statusMessage: statusText = "" } = message;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of message) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  return {
    ok: status >= 200 && status < 300,
    status,
    statusText,
    headers: new Headers(
      Object.entries(message.headers).map(([name, value]) => [name, String(value)]),
    ),
    // It was read as a whole.
    body: null,
    text: async () => bytes.toString(),
    arrayBuffer: async () => new Uint8Array(bytes).buffer,
  };
}
