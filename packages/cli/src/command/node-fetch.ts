import type { IncomingMessage } from "node:http";
import { arrayBuffer, text } from "node:stream/consumers";

import type { ClientRequest, ClientResponse } from "@slipway/sdk/http";

/** A response whose body can also be read as it arrives. */
export interface NodeResponse extends ClientResponse {
  readonly body: AsyncIterable<Uint8Array>;
}

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const maxRedirects = 20;

/**
 * Sends a request as `fetch` does, for the clients of commands: loading the `fetch` of Node.js takes longer than all else
 * that a short command does. Follows redirects; a response is not compressed.
 */
export async function nodeFetch(url: string, request: ClientRequest): Promise<NodeResponse> {
  let target = url;
  let current = request;
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const message = await send(target, current);
    const { statusCode: status = 0, headers } = message;
    if (!redirectStatuses.has(status) || headers.location === undefined)
      return responseOf(message, current.signal);
    message.resume();
    const next = new URL(headers.location, target);
    if (next.hostname !== new URL(target).hostname) current = withoutCredentials(current);
    if (status < 307) current = asGet(current);
    target = next.href;
  }
  throw new TypeError(`more than ${maxRedirects} redirects`);
}

function send(
  url: string,
  { method, headers, body, signal }: ClientRequest,
): Promise<IncomingMessage> {
  signal.throwIfAborted();
  // An import of these modules would read all their exports, of which some load `fetch`.
  const { request } = process.getBuiltinModule(
    url.startsWith("https:") ? "node:https" : "node:http",
  );
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  // Without it Node.js sends the body of a DELETE request as if it were the next request.
  const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
  request(url, { method, headers: { ...headers, ...length }, signal })
    .on("response", resolve)
    .on("error", (error) => reject(signal.aborted ? signal.reason : error))
    .end(body);
  return promise;
}

/** Headers that are for the host of the request alone. */
const credentialHeaders: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "coder-session-token",
]);

function withoutCredentials({ headers, ...request }: ClientRequest): ClientRequest {
  const kept = Object.entries(headers).filter(
    ([name]) => !credentialHeaders.has(name.toLowerCase()),
  );
  return { ...request, headers: Object.fromEntries(kept) };
}

/** Returns the request that the older redirects ask for: without a body. */
function asGet({ method, headers, signal }: ClientRequest): ClientRequest {
  const { "Content-Type": _type, ...more } = headers;
  return { method: method === "HEAD" ? method : "GET", headers: more, signal };
}

function responseOf(message: IncomingMessage, signal: AbortSignal): NodeResponse {
  const { statusCode: status = 0, statusMessage: statusText = "" } = message;
  const read = async <T>(consume: (body: IncomingMessage) => Promise<T>): Promise<T> => {
    try {
      return await consume(message);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  };
  return {
    ok: status >= 200 && status < 300,
    status,
    statusText,
    text: () => read(text),
    arrayBuffer: () => read(arrayBuffer),
    body: message,
  };
}
