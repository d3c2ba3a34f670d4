import type { TcpStream } from "@slipway/tailnet/stack/tcp-stream";

/* The messages of both sides of a connection; tcp-go/conversation.go implements the same. */

export type Mode = "upload" | "download" | "both" | "echo";

export const modes: readonly Mode[] = ["upload", "download", "both", "echo"];

const headBytes = 9;
const period = 1_048_573;
const partBytes = 1 << 18;
const { signal } = new AbortController();

const pattern = (() => {
  const bytes = new Uint8Array(period + partBytes);
  let state = 12_345;
  for (let at = 0; at < period; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  bytes.copyWithin(period, 0, partBytes);
  return bytes;
})();

/** Runs the caller's side of a conversation to its end. */
export async function ask(stream: TcpStream, mode: Mode, size: number): Promise<void> {
  const head = Buffer.alloc(headBytes, mode[0]);
  head.writeBigUInt64BE(BigInt(size), 1);
  await stream.write(head, signal);
  if (mode === "echo") {
    await write(stream, size);
    await read(stream, size);
  } else {
    await Promise.all([
      write(stream, mode === "download" ? 0 : size),
      read(stream, mode === "upload" ? 0 : size),
    ]);
  }
  await stream.closed;
}

/** Runs the callee's side of a conversation to its end. */
export async function answer(stream: TcpStream): Promise<void> {
  let head = Buffer.alloc(0);
  while (head.length < headBytes) {
    const part = await stream.read(signal);
    if (part === undefined) throw new Error("conversation has no first message");
    head = Buffer.concat([head, part]);
  }
  const mode = modes.find(([letter]) => letter === String.fromCharCode(head[0] ?? 0));
  const size = Number(head.readBigUInt64BE(1));
  const early = head.subarray(headBytes);
  if (mode === "echo") {
    await read(stream, size, early);
    await write(stream, size);
  } else {
    await Promise.all([
      write(stream, mode === "upload" ? 0 : size),
      read(stream, mode === "download" ? 0 : size, early),
    ]);
  }
  await stream.closed;
}

async function write(stream: TcpStream, size: number): Promise<void> {
  for (let at = 0; at < size;) {
    const start = at % period;
    const part = pattern.subarray(start, start + Math.min(partBytes, size - at));
    await stream.write(part, signal);
    at += part.length;
  }
  stream.finish();
}

/** Compares the incoming bytes, which begin with `early`, until the peer closes its direction. */
async function read(stream: TcpStream, size: number, early = new Uint8Array(0)): Promise<void> {
  let at = 0;
  for (
    let part: Uint8Array | undefined = early;
    part !== undefined;
    part = await stream.read(signal)
  ) {
    const start = at % period;
    if (Buffer.compare(part, pattern.subarray(start, start + part.length)) !== 0) {
      throw new Error(`unexpected bytes near ${String(at)}`);
    }
    at += part.length;
  }
  if (at !== size) throw new Error(`received ${String(at)} bytes, wanted ${String(size)}`);
}
