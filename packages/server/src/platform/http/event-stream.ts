import { once } from "node:events";

import { whenAborted } from "@slipway/runtime";
import type { FastifyReply, FastifyRequest } from "fastify";

import { watchClient } from "./client-disconnect.ts";
import { pingIntervalMs } from "./peer-socket.ts";

/** Server-sent events in the only form that stock clients accept (docs/protocol/rest.md §1.9). */
export interface EventStream {
  /** Aborted when the client disconnects or the stream ends. */
  readonly signal: AbortSignal;
  /** Sends a ping now, besides the regular ones. Disconnects a client that has not taken the data sent before. */
  ping(): void;
  /**
   * Sends a value; resolves when the client can take more, so that a slow one slows the writer, or when the stream has
   * ended.
   */
  data(value: unknown): Promise<void>;
  /** Sends a value that is already JSON, in one line. */
  dataText(json: string): Promise<void>;
  error(message: string, detail: string): void;
  end(): void;
}

/** The reason of every stream that the server ended; shared, because each new error would record a stack that is never read. */
const streamEnded = new DOMException("stream was ended", "AbortError");

/**
 * Takes over the answer from Fastify, sends its head immediately, in one packet with what is sent in the same turn, and pings
 * until it ends.
 */
export function openEventStream(request: FastifyRequest, reply: FastifyReply): EventStream {
  reply.hijack();
  const client = watchClient(request);
  const ended = new AbortController();
  const signal = AbortSignal.any([client.signal, ended.signal]);
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
  let isHeadSent = false;
  process.nextTick(() => {
    if (!isHeadSent && !signal.aborted) reply.raw.flushHeaders();
  });
  const write = (text: string): boolean => {
    isHeadSent = true;
    return signal.aborted || reply.raw.write(text);
  };
  const dataText = async (json: string): Promise<void> => {
    if (write(`event: data\ndata: ${json}\n\n`)) return;
    // It rejects when the stream ends; the writer learns of that by the signal.
    await once(reply.raw, "drain", { signal }).catch(() => undefined);
  };
  const ping = (): void => {
    if (reply.raw.writableLength > 0) request.raw.socket.destroy();
    else write("event: ping\n\n");
  };
  const pings = setInterval(ping, pingIntervalMs);
  // The client may have left already.
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
      client[Symbol.dispose]();
      reply.raw.end();
      ended.abort(streamEnded);
    },
  };
}
