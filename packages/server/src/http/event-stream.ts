import { whenAborted } from "@slipway/runtime";
import type { FastifyReply, FastifyRequest } from "fastify";

import { pingIntervalMs } from "./peer-socket.ts";
import { watchReader } from "./reader.ts";

/** Server-sent events in the one form that stock readers take (`rest.md` section 1.9). */
export interface EventStream {
  /** Aborted when the reader is gone or the stream was ended. */
  readonly signal: AbortSignal;
  /** Now, besides the regular ones. A reader that has not taken what was sent before is given up. */
  ping(): void;
  data(value: unknown): void;
  error(message: string, detail: string): void;
  end(): void;
}

/** Takes the answer over from Fastify, sends its head at once, and pings until it is ended. */
export function openEventStream(request: FastifyRequest, reply: FastifyReply): EventStream {
  reply.hijack();
  const reader = watchReader(request);
  const ended = new AbortController();
  const signal = AbortSignal.any([reader.signal, ended.signal]);
  const headers = reply.getHeaders();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) reply.raw.setHeader(name, value);
  }
  reply.raw.writeHead(200, {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    Connection: "keep-alive",
    "X-Accel-Buffering": "no",
  });
  reply.raw.flushHeaders();
  const write = (text: string): void => {
    if (!signal.aborted) reply.raw.write(text);
  };
  const ping = (): void => {
    if (reply.raw.writableLength > 0) request.raw.socket.destroy();
    else write("event: ping\n\n");
  };
  const pings = setInterval(ping, pingIntervalMs);
  // He may have gone before.
  void whenAborted(signal).then(() => clearInterval(pings));
  return {
    signal,
    ping,
    data: (value) => write(`event: data\ndata: ${JSON.stringify(value)}\n\n`),
    error: (message, detail) =>
      write(`event: error\ndata: ${JSON.stringify({ message, detail })}\n\n`),
    end: () => {
      reader[Symbol.dispose]();
      reply.raw.end();
      ended.abort(new DOMException("stream was ended", "AbortError"));
    },
  };
}
