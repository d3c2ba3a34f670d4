import { once } from "node:events";

import { whenAborted } from "@slipway/runtime";
import type { FastifyReply, FastifyRequest } from "fastify";

import { pingIntervalMs } from "./peer-socket.ts";
import { watchReader } from "./reader.ts";

/** Server-sent events in the one form that stock readers take (docs/protocol/rest.md §1.9). */
export interface EventStream {
  /** Aborted when the reader is gone or the stream was ended. */
  readonly signal: AbortSignal;
  /** Now, besides the regular ones. A reader that has not taken what was sent before is given up. */
  ping(): void;
  /** Resolves when the reader may be sent more, so that a slow one slows the writer; also when the stream has ended. */
  data(value: unknown): Promise<void>;
  /** The same of a value that is JSON already, in one line. */
  dataText(json: string): Promise<void>;
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
  const write = (text: string): boolean => signal.aborted || reply.raw.write(text);
  const dataText = async (json: string): Promise<void> => {
    if (write(`event: data\ndata: ${json}\n\n`)) return;
    // It rejects when the stream ends, of which the writer hears by the signal.
    await once(reply.raw, "drain", { signal }).catch(() => undefined);
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
    data: (value) => dataText(JSON.stringify(value)),
    dataText,
    error: (message, detail) => {
      write(`event: error\ndata: ${JSON.stringify({ message, detail })}\n\n`);
    },
    end: () => {
      reader[Symbol.dispose]();
      reply.raw.end();
      ended.abort(new DOMException("stream was ended", "AbortError"));
    },
  };
}
