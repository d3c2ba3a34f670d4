import type { Socket } from "node:net";

import type { RawSocket, RpcSocket, SocketData } from "@slipway/rpc";
import { systemClock } from "@slipway/runtime";
import { type AgentConnection, openSession } from "@slipway/sdk/agent";

import { requestPlainly } from "./plain-request.ts";

const apiVersion = "2.10";
const agentPath = `/api/v2/workspaceagents/me/rpc?role=agent&version=${apiVersion}`;
/** The path by which clients join the network. */
export const clientPath = `/api/v2/tailnet?version=${apiVersion}`;
const opcode = { binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** The masking key of every frame, which clients must have. */
const mask = Buffer.from([0x5a, 0xc3, 0x17, 0x8e]);
/** The maximum length with a short length field; a fleet's messages are shorter. */
const maxShortLength = 125;
const maxLength = 0xffff;

/** Dials the server over a cheap WebSocket, as an agent does by default. Throws when the server refuses. */
export async function dialPlainly(
  serverUrl: string,
  token: string,
  signal: AbortSignal,
  path = agentPath,
): Promise<AgentConnection> {
  const headers = {
    "Coder-Session-Token": token,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const { status, socket } = await requestPlainly({ serverUrl, path, headers, signal });
  if (status === 101) return openSession({ socket: rpcSocketOn(socket), apiVersion }, systemClock);
  socket.destroy();
  throw new Error(`server answered ${status}, wanted 101`);
}

function rpcSocketOn(socket: Socket): RpcSocket {
  const gone = new AbortController();
  socket.once("close", () => gone.abort(new Error("socket closed")));
  const raw = new PlainWebSocket(socket);
  return { raw, signal: gone.signal, close: (code) => raw.close(code) };
}

/**
 * The client's end of a WebSocket, as far as a session needs it (RFC 6455 §5): each message is one frame.
 *
 *   FIN and opcode: 8 | mask bit: 1, length: 7 | longer length: 0, 16 or 64 | masking key, client's only: 32 | data…
 */
class PlainWebSocket implements RawSocket {
  readonly #socket: Socket;
  #onMessage: (data: SocketData, isBinary: boolean) => void = () => undefined;
  #received: Buffer = Buffer.alloc(0);
  #isClosing = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk)).pause();
  }

  get bufferedAmount(): number {
    return this.#socket.writableLength;
  }

  get isPaused(): boolean {
    return this.#socket.isPaused();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  on(_event: "message", listener: (data: SocketData, isBinary: boolean) => void): void {
    this.#onMessage = listener;
  }

  send(bytes: Uint8Array, onSent: () => void): void {
    this.#socket.write(frame(opcode.binary, bytes), () => onSent());
  }

  close(code: number): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#socket.resume();
    this.#socket.write(frame(opcode.close, Buffer.of(code >> 8, code & 0xff)));
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    for (;;) {
      const start = dataStart(this.#received);
      if (start === undefined) return;
      const end = start + dataLength(this.#received);
      if (this.#received.length < end) return;
      const kind = this.#received.readUInt8(0) & 0x0f;
      const data = this.#received.subarray(start, end);
      this.#received = this.#received.subarray(end);
      this.#receive(kind, data);
    }
  }

  #receive(kind: number, data: Buffer): void {
    if (kind === opcode.binary && !this.#isClosing) this.#onMessage(data, true);
    if (kind === opcode.ping) this.#socket.write(frame(opcode.pong, data));
    if (kind !== opcode.close) return;
    this.close(1000);
    this.#socket.end();
  }
}

/** Returns the offset of a frame's data, which the server does not mask; undefined while the head is incomplete. */
function dataStart(bytes: Buffer): number | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1);
  const start = short <= maxShortLength ? 2 : short === maxShortLength + 1 ? 4 : 10;
  return bytes.length < start ? undefined : start;
}

function dataLength(bytes: Buffer): number {
  const short = bytes.readUInt8(1);
  if (short <= maxShortLength) return short;
  return short === maxShortLength + 1 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
}

/** Encodes a client's frame as a copy. */
function frame(kind: number, data: Uint8Array): Buffer {
  if (data.length > maxLength) throw new RangeError(`message of ${data.length} bytes is too long`);
  const isShort = data.length <= maxShortLength;
  const start = isShort ? 6 : 8;
  const bytes = Buffer.allocUnsafe(start + data.length);
  bytes.writeUInt8(0x80 | kind, 0);
  bytes.writeUInt8(0x80 | (isShort ? data.length : maxShortLength + 1), 1);
  if (!isShort) bytes.writeUInt16BE(data.length, 2);
  mask.copy(bytes, start - mask.length);
  for (let index = 0; index < data.length; index += 1) {
    bytes[start + index] = (data[index] ?? 0) ^ (mask[index & 3] ?? 0);
  }
  return bytes;
}
