import type { IncomingMessage } from "node:http";

import {
  certificateFor,
  type Clock,
  errorText,
  httpModule,
  withSystemAuthorities,
} from "@slipway/runtime";

import { SseParser } from "../stream/sse-parser.ts";
import { ReinitError } from "./errors.ts";
import { messageOf, readErrorBody } from "./explain-failure.ts";
import { readReinitEvent, type ReinitEvent } from "./reinit-event.ts";

/** The outcome of one request for the reinit stream. */
export type ReinitAnswer =
  | { readonly kind: "event"; readonly event: ReinitEvent }
  /** The stream ended, or was cut, without an event, which is normal; `reason` is for the log. */
  | { readonly kind: "ended"; readonly reason: string }
  /** The token is unknown (401): perhaps not valid yet, perhaps no longer. */
  | { readonly kind: "unauthorized" }
  /** The server will never have an event for this agent: a 409 with its own kind of body. */
  | { readonly kind: "not-a-prebuild"; readonly message: string }
  /** The server did not answer with a stream. */
  | { readonly kind: "failed"; readonly error: ReinitError };

export interface ReinitOptions {
  readonly serverUrl: string;
  readonly token: string;
  /** Additional headers for the request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * The maximum silence: three missed pings. A server that sends its headers with the first ping has enough time, too.
 */
export const maxSilenceMs = 45_000;

/**
 * Asks the server for an event and waits for it, which may take days: pings are skipped, silence ends the wait
 * (docs/protocol/rest.md §2.2). Rejects only with the signal's reason.
 */
export async function waitForReinit(options: ReinitOptions): Promise<ReinitAnswer> {
  const { serverUrl, token, headers, clock, signal } = options;
  using silence = new SilenceWatch(maxSilenceMs, clock);
  try {
    const either = AbortSignal.any([signal, silence.signal]);
    const url = new URL(
      `${serverUrl.replace(/\/+$/, "")}/api/v2/workspaceagents/me/reinit?wait=true`,
    );
    const own = { Accept: "text/event-stream", "Coder-Session-Token": token };
    const response = await withSystemAuthorities(() => get(url, { ...headers, ...own }, either));
    silence.reset();
    return await readAnswer(response, silence);
  } catch (error) {
    signal.throwIfAborted();
    const cause = silence.signal.aborted ? silence.signal.reason : error;
    return failed("the server cannot be asked whether to reinit", cause);
  }
}

function get(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { request } = httpModule(url.protocol !== "https:");
    const options = { ...certificateFor(url), headers, signal, agent: false } as const;
    request(url, options, resolve).on("error", reject).end();
  });
}

async function readAnswer(response: IncomingMessage, silence: SilenceWatch): Promise<ReinitAnswer> {
  try {
    const status = response.statusCode ?? 0;
    if (status === 200) return await readStream(response, silence);
    const message = messageOf(await readErrorBody(response));
    if (status === 401) return { kind: "unauthorized" };
    // A proxy on the way may answer 409 as well, which must not make the agent give up for good.
    if (status === 409 && message !== undefined) return { kind: "not-a-prebuild", message };
    return failed(`the server answered ${status}${message === undefined ? "" : `: ${message}`}`);
  } finally {
    response.destroy();
  }
}

async function readStream(response: IncomingMessage, silence: SilenceWatch): Promise<ReinitAnswer> {
  const type = response.headers["content-type"] ?? "nothing";
  if (!/^text\/event-stream\b/i.test(type)) {
    return failed(`the server answered with ${type}, wanted text/event-stream`);
  }
  const parser = new SseParser();
  const pieces = response.setEncoding("utf8")[Symbol.asyncIterator]();
  for (;;) {
    let piece: IteratorResult<unknown>;
    try {
      piece = await pieces.next();
    } catch (error) {
      const cause = silence.signal.aborted ? silence.signal.reason : error;
      return { kind: "ended", reason: errorText(cause) };
    }
    if (piece.done === true) return { kind: "ended", reason: "by the server" };
    silence.reset();
    for (const { type: name, data } of parser.push(String(piece.value))) {
      if (name === "error") return failed(`the server sent an error: ${messageOf(data) ?? data}`);
      if (name === "data" || name === "message") {
        const event = readReinitEvent(data);
        return event === undefined
          ? failed(`event is ${JSON.stringify(data)}, wanted a reinit event`)
          : { kind: "event", event };
      }
    }
  }
}

function failed(message: string, cause?: unknown): ReinitAnswer {
  return { kind: "failed", error: new ReinitError(message, { cause }) };
}

/** A watch for silence; `signal` is aborted when nothing was heard for too long. */
class SilenceWatch implements Disposable {
  readonly #maxMs: number;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  readonly #disposed = new AbortController();
  #heardAtMs: number;

  constructor(maxMs: number, clock: Clock) {
    this.#maxMs = maxMs;
    this.#clock = clock;
    this.#heardAtMs = clock.monotonic();
    // It ends when it is disposed of.
    this.#watch().catch(() => undefined);
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Restarts the wait because something was heard. */
  reset(): void {
    this.#heardAtMs = this.#clock.monotonic();
  }

  [Symbol.dispose](): void {
    this.#disposed.abort();
  }

  async #watch(): Promise<void> {
    for (;;) {
      const restMs = this.#heardAtMs + this.#maxMs - this.#clock.monotonic();
      if (restMs <= 0) break;
      await this.#clock.sleep(restMs, this.#disposed.signal);
    }
    this.#over.abort(new DOMException(`nothing heard for ${this.#maxMs} ms`, "TimeoutError"));
  }
}
