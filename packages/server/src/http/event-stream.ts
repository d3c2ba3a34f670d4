import type { FastifyReply, FastifyRequest } from "fastify";

/** Server-sent events in the one form that stock readers take (`rest.md` section 1.9). */
export interface EventStream {
  /** Aborted when the reader is gone or the stream was ended. */
  readonly signal: AbortSignal;
  /** A reader that has not taken what was sent before is given up. */
  ping(): void;
  data(value: unknown): void;
  error(message: string, detail: string): void;
  end(): void;
}

/** Takes the answer over from Fastify and sends its head at once. */
export function openEventStream(request: FastifyRequest, reply: FastifyReply): EventStream {
  reply.hijack();
  const gone = new AbortController();
  request.raw.socket.once("close", () =>
    gone.abort(new DOMException("reader is gone", "AbortError")),
  );
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
    if (!gone.signal.aborted) reply.raw.write(text);
  };
  return {
    signal: gone.signal,
    ping: () => {
      if (reply.raw.writableLength > 0) request.raw.socket.destroy();
      else write("event: ping\n\n");
    },
    data: (value) => write(`event: data\ndata: ${JSON.stringify(value)}\n\n`),
    error: (message, detail) =>
      write(`event: error\ndata: ${JSON.stringify({ message, detail })}\n\n`),
    end: () => {
      reply.raw.end();
      gone.abort(new DOMException("stream was ended", "AbortError"));
    },
  };
}
