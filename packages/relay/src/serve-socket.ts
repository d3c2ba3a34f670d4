import type { Duplex } from "node:stream";

import { BoundedReading } from "./bounded-reading.ts";
import type { RelaySession, RelayTransport } from "./transport.ts";

/** The largest message to a client, since WebSocket clients may limit them. */
const maxMessageBytes = 16 * 1024;
/** The unread bytes above which a client that sends pings is disconnected. */
const maxUnreadPongBytes = 1024 * 1024;
/** The close code of a relay that ends a connection (docs/protocol/rest.md §4). */
const closingCode = 1011;

/** Opens the session of a transport; returns undefined if there is none. */
type OpenSession = (transport: RelayTransport) => RelaySession | undefined;

/** Runs a session over a byte stream, such as an upgraded socket; the session then owns the stream. */
export function serveSocket(socket: Duplex, open: OpenSession): void {
  const reading = new BoundedReading(socket);
  const transport: RelayTransport = {
    send: (pieces, sent) => {
      const last = pieces.length - 1;
      const onSent = (error?: Error | null): void => {
        if (error === undefined || error === null) sent();
      };
      socket.cork();
      for (const [index, piece] of pieces.entries()) {
        if (index === last) socket.write(piece, onSent);
        else socket.write(piece);
      }
      socket.uncork();
    },
    pause: () => reading.pause(),
    resume: () => reading.resume(),
    end: () => socket.end(() => socket.destroy()),
    destroy: () => socket.destroy(),
  };
  // The close that follows is handled.
  socket.on("error", () => socket.destroy());
  const session = open(transport);
  if (session === undefined) return;
  socket.on("data", (chunk: Uint8Array) => {
    session.receive(chunk);
    reading.took(chunk.length);
  });
  socket.on("end", () => socket.destroy());
  socket.on("close", () => session.closed());
}

/** The parts of a `ws` socket that a session uses. */
export interface MessageSocket {
  readonly bufferedAmount: number;
  on(
    event: "message",
    listener: (data: Uint8Array | ArrayBuffer | Uint8Array[], isBinary: boolean) => void,
  ): unknown;
  on(event: "close" | "ping", listener: () => void): unknown;
  send(
    data: Uint8Array,
    options: { readonly binary: true },
    sent: (error?: Error | null) => void,
  ): void;
  pause(): void;
  resume(): void;
  close(code: number, reason: string): void;
  terminate(): void;
}

/**
 * Runs a session over a WebSocket, whose messages are pieces of the stream, cut anywhere (docs/protocol/tailnet.md §4.3).
 */
export function serveWebSocket(socket: MessageSocket, open: OpenSession): void {
  const reading = new BoundedReading(socket);
  const transport: RelayTransport = {
    send: (pieces, sent) => {
      const messages = messagesOf(pieces);
      const last = messages.length - 1;
      for (const [index, message] of messages.entries()) {
        socket.send(message, { binary: true }, (error) => {
          if (index === last && (error === undefined || error === null)) sent();
        });
      }
    },
    pause: () => reading.pause(),
    resume: () => reading.resume(),
    end: () => socket.close(closingCode, "closing"),
    destroy: () => socket.terminate(),
  };
  const session = open(transport);
  if (session === undefined) return;
  socket.on("message", (data, isBinary) => {
    if (!isBinary) return socket.close(1003, "text message");
    const bytes = bytesOf(data);
    session.receive(bytes);
    return reading.took(bytes.length);
  });
  // Each ping is answered, even if the client does not read.
  socket.on("ping", () => {
    if (socket.bufferedAmount > maxUnreadPongBytes) socket.terminate();
  });
  socket.on("close", () => session.closed());
}

function bytesOf(data: Uint8Array | ArrayBuffer | Uint8Array[]): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

/** Joins small pieces, and splits large ones. */
function messagesOf(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  const joined = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  if (joined === undefined || joined.length <= maxMessageBytes) return joined ? [joined] : [];
  const messages: Uint8Array[] = [];
  for (let at = 0; at < joined.length; at += maxMessageBytes) {
    messages.push(joined.subarray(at, at + maxMessageBytes));
  }
  return messages;
}
