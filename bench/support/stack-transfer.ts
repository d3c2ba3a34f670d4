import type { NetworkStack } from "@slipway/tailnet/stack/network-stack";
import type { TcpStream } from "@slipway/tailnet/stack/tcp-stream";
import { BytePattern } from "@slipway/testkit/links";

const port = 1;
const { signal } = new AbortController();

/** Returns the address of an end of a benchmark, by number. */
export function addressOf(host: number): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, at) => (at === 15 ? host : 0xfd));
}

/** Sends bytes from one stack to another at this address and compares each; returns the megabytes per second. */
export async function measureTransfer(
  from: NetworkStack,
  to: NetworkStack,
  { address, bytes }: { readonly address: Uint8Array; readonly bytes: number },
): Promise<number> {
  const listener = to.listen(port);
  const stream = await from.connect({ address, port }, { signal });
  const pattern = new BytePattern(1);
  const started = performance.now();
  for await (const accepted of listener) {
    await Promise.all([send(stream, pattern, bytes), receive(accepted, pattern, bytes)]);
    break;
  }
  return bytes / 1000 / (performance.now() - started);
}

async function send(stream: TcpStream, pattern: BytePattern, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes;) {
    const part = pattern.view(sent, bytes - sent);
    await stream.write(part, signal);
    sent += part.length;
  }
  stream.finish();
}

async function receive(stream: TcpStream, pattern: BytePattern, bytes: number): Promise<void> {
  let received = 0;
  for (let part = await stream.read(signal); part !== undefined; part = await stream.read(signal)) {
    if (!pattern.matches(received, part)) throw new Error(`unexpected bytes at ${received}`);
    received += part.length;
  }
  if (received !== bytes) throw new Error(`received ${received} bytes, wanted ${bytes}`);
  stream.finish();
}
