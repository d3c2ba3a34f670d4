import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  request as openRequest,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";

import { CodedError, countText, errorText } from "@slipway/runtime";

import { Refusal } from "../../platform/errors/errors.ts";
import { hasBody } from "../../platform/http/bodies.ts";

/** The maximum size of the header of an app's response, in bytes. */
const maxHeaderBytes = 64 * 1024;

/** A request of a viewer, as its app gets it. */
interface ForwardedRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The path and the query for the app. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** True if the headers ask for another protocol. */
  readonly isUpgrade: boolean;
  readonly agent: Agent;
  /** The time from the last byte of the request, or the connection to the app, to the first byte of the response. */
  readonly timeoutMs: number;
}

/** The answer of an app. */
type AppAnswer =
  | { readonly type: "response"; readonly response: IncomingMessage }
  | {
      readonly type: "upgrade";
      readonly response: IncomingMessage;
      readonly stream: Duplex;
      readonly head: Buffer;
    };

/** The methods of requests that may be repeated, and have no body. */
const repeatable: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Sends a request to its app, with its body as fast as the app reads it, and waits for the header of the response. Ends
 * when the viewer leaves. Throws `AppError`, and the error of an unreachable agent.
 */
export async function forwardRequest(forwarded: ForwardedRequest): Promise<AppAnswer> {
  const attempt = send(forwarded);
  try {
    return await attempt.answer;
  } catch (error) {
    // The app may have closed a kept connection before the request arrived there.
    const mayRepeat =
      attempt.sent.reusedSocket && isConnectionEnd(error) && isRepeatable(forwarded.request);
    if (!mayRepeat || forwarded.response.destroyed) throw explain(error);
    return send(forwarded).answer.catch((again: unknown) => {
      throw explain(again);
    });
  }
}

interface Attempt {
  readonly sent: ClientRequest;
  readonly answer: Promise<AppAnswer>;
}

function send(forwarded: ForwardedRequest): Attempt {
  const { request, response, path, headers, isUpgrade, agent, timeoutMs } = forwarded;
  const { promise, resolve, reject } = Promise.withResolvers<AppAnswer>();
  const sent = openRequest({
    agent,
    method: request.method ?? "GET",
    path,
    headers,
    maxHeaderSize: maxHeaderBytes,
    setHost: false,
  });
  // The app may take the next bytes for another protocol, even if it answers in this one.
  if (isUpgrade) sent.shouldKeepAlive = false;
  let late: NodeJS.Timeout | undefined;
  const fail = (): void => {
    const seconds = Math.round(timeoutMs / 1000);
    sent.destroy(new AppError("no-answer", `no answer within ${countText(seconds, "second")}`));
  };
  // Connecting has its own timeout.
  sent.once("socket", () => {
    late = setTimeout(fail, timeoutMs);
  });
  let bodyBytes = 0;
  const onData = ({ byteLength }: Buffer): void => {
    bodyBytes += byteLength;
    late?.refresh();
  };
  const onBodyEnd = (): void => {
    if (!isWhole(request, bodyBytes)) sent.shouldKeepAlive = false;
  };
  const leave = (): void => {
    sent.destroy();
    // The app has answered without the rest, which a viewer may send before reading the answer.
    request.unpipe(sent);
    request.resume();
  };
  const settle = (): void => {
    clearTimeout(late);
    request.off("data", onData);
  };
  response.once("close", leave);
  // A client that did not ask for it expects no such response.
  if (request.headers.expect !== undefined) sent.once("continue", () => response.writeContinue());
  sent.on("response", (answer) => {
    settle();
    resolve({ type: "response", response: answer });
  });
  sent.on("upgrade", (answer, stream, head) => {
    settle();
    resolve({ type: "upgrade", response: answer, stream, head });
  });
  // Without an answer, every request ends in one of the two.
  sent.on("error", reject);
  sent.on("close", () => {
    settle();
    reject(new AppError("ended", "the connection ended without an answer"));
  });
  if (hasBody(request)) {
    // Sends the header immediately. `flushHeaders` would encode it as UTF-8, but its characters are bytes.
    sent.write("", "latin1");
    request.on("data", onData);
    request.once("end", onBodyEnd);
    request.pipe(sent);
  } else {
    sent.end();
  }
  return { sent, answer: promise };
}

/** Returns whether a body has the announced length: an app would read the rest of it from the next request. */
function isWhole({ headers }: IncomingMessage, bodyBytes: number): boolean {
  const announced = headers["content-length"];
  return announced === undefined || Number(announced) === bodyBytes;
}

function isRepeatable(request: IncomingMessage): boolean {
  return repeatable.has(request.method ?? "") && !hasBody(request);
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  return typeof code === "string" ? code : "";
}

/** Returns whether the connection ended, rather than that the answer is wrong. */
function isConnectionEnd(error: unknown): boolean {
  return ["ECONNRESET", "EPIPE", "reset", "ended"].includes(codeOf(error));
}

/** Returns the fault of the app. */
function explain(error: unknown): unknown {
  if (error instanceof AppError || error instanceof Refusal) return error;
  const code = codeOf(error);
  const options = { cause: error };
  if (code === "HPE_HEADER_OVERFLOW") {
    const limit = `${maxHeaderBytes / 1024} KiB`;
    return new AppError(
      "large-header",
      `the header of the answer is longer than ${limit}`,
      options,
    );
  }
  if (code.startsWith("HPE_")) {
    return new AppError("malformed", `the answer is not HTTP: ${errorText(error)}`, options);
  }
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
    return new AppError("no-tls", `the TLS handshake failed: ${errorText(error)}`, options);
  }
  return new AppError("ended", errorText(error), options);
}

/**
 * The fault of an app:
 * - `no-answer`: nothing came in time.
 * - `ended`: it ended the connection before it answered.
 * - `malformed`: its answer is not HTTP.
 * - `large-header`: the header of its answer is longer than the limit.
 * - `no-tls`: it does not speak TLS.
 */
export type AppErrorCode = "no-answer" | "ended" | "malformed" | "large-header" | "no-tls";

/** A request to an app that failed, although its agent was reached. */
export class AppError extends CodedError<AppErrorCode> {
  override readonly name = "AppError";

  /** The app may answer another request. */
  get retryable(): boolean {
    return this.code === "no-answer" || this.code === "ended";
  }
}
