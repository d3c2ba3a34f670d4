import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { errorMonitor } from "node:events";
import { ClientRequest, type IncomingMessage } from "node:http";

import { type Clock, systemErrorCode } from "@slipway/runtime";

import type { Output } from "../terminal/output.ts";

/**
 * The channel on which Node.js announces every request, including those of WebSockets and relays, while it has
 * listeners.
 */
const requestStart = "http.client.request.start";

/** Paths that consist only of names and ids; a redirect to another server may have a secret in any other path. */
const plainPath = /^\/(?:api\/v2|bin|derp|healthz)(?:\/|$)/;
/** Query parameters whose values are not secrets. */
const plainParameters: ReadonlySet<string> = new Set([
  "after",
  "before",
  "follow",
  "limit",
  "listen",
  "offset",
  "q",
]);
/** A session token typed in place of its name. */
const sessionToken = /^[A-Za-z0-9]{10}-[A-Za-z0-9]{22}$/;

/** Prints a line about each HTTP request of this process: method, URL without secrets, status and time, until disposed of. */
export function traceHttp(err: Output, clock: Clock): Disposable {
  const onStart = (message: unknown): void => {
    const request = requestOf(message);
    if (request === undefined) return;
    const startMs = clock.now();
    const print = (outcome: string): void =>
      err.line(`${lineOf(request)}: ${outcome} in ${Math.round(clock.now() - startMs)} ms`);
    const onAnswer = ({ statusCode = 0 }: IncomingMessage): void => print(String(statusCode));
    // Our listener must not be the only one: the caller's decides the fate of the connection.
    for (const event of ["response", "upgrade"]) {
      if (request.listenerCount(event) > 0) request.once(event, onAnswer);
    }
    request.once(errorMonitor, (error: Error) => print(systemErrorCode(error) ?? error.name));
  };
  subscribe(requestStart, onStart);
  return { [Symbol.dispose]: () => void unsubscribe(requestStart, onStart) };
}

function requestOf(message: unknown): ClientRequest | undefined {
  if (typeof message !== "object" || message === null || !("request" in message)) return undefined;
  return message.request instanceof ClientRequest ? message.request : undefined;
}

function lineOf(request: ClientRequest): string {
  const host = request.getHeader("host");
  return `${request.method} ${request.protocol}//${String(host ?? request.host)}${pathOf(request.path)}`;
}

function pathOf(text: string): string {
  const [path = "", query] = text.split("?", 2);
  if (!plainPath.test(path)) return "/…";
  const segments = path.split("/").map((part) => (sessionToken.test(part) ? "…" : part));
  const parameters = [...new URLSearchParams(query)].map(
    ([name, value]) => `${name}=${plainParameters.has(name) ? value : "…"}`,
  );
  return `${segments.join("/")}${parameters.length === 0 ? "" : `?${parameters.join("&")}`}`;
}
