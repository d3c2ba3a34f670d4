import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { type KeyPair, sodiumCrypto } from "@slipway/relay";
import { encodeRelayLogin } from "@slipway/testkit/relay";
import { encodeHex } from "@slipway/wire/bytes/hex";
import { parseDerpFrame } from "@slipway/wire/derp/frame";
import { DerpFrameReader } from "@slipway/wire/derp/frame-reader";
import { maxServerFrameBytes } from "@slipway/wire/derp/header";

const upgrade =
  "GET /derp HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: DERP\r\nDerp-Fast-Start: 1\r\n\r\n";

/** A client that is logged in and counts the bytes that it receives. */
export interface BenchClient extends Disposable {
  readonly keys: KeyPair;
  readonly socket: Socket;
  readonly receivedBytes: () => number;
  /** The bytes of packets by the sender's key in hexadecimal digits; empty unless counting is enabled. */
  readonly bySender: ReadonlyMap<string, number>;
}

/** Connects to a relay that starts without an HTTP response, and logs in. Counting packets by sender is expensive. */
export async function openRelayClient(
  port: number,
  options: { readonly countsSenders?: boolean } = {},
): Promise<BenchClient> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  const keys = sodiumCrypto.createKeyPair();
  const reader = new DerpFrameReader(maxServerFrameBytes);
  const ready = Promise.withResolvers<void>();
  let received = 0;
  let isReady = false;
  const bySender = new Map<string, number>();
  socket.on("error", ready.reject);
  socket.on("data", (chunk: Buffer) => {
    received += chunk.length;
    if (isReady && options.countsSenders !== true) return;
    reader.read(chunk, (bytes, start, end) => {
      const frame = parseDerpFrame(bytes, start, end);
      if (frame?.type === "recv-packet") {
        const sender = encodeHex(frame.source);
        bySender.set(sender, (bySender.get(sender) ?? 0) + frame.packet.length);
      }
      if (frame?.type === "server-key") socket.write(encodeRelayLogin(frame.key, keys));
      if (frame?.type !== "server-info") return;
      isReady = true;
      ready.resolve();
    });
  });
  socket.write(upgrade);
  await ready.promise;
  return {
    keys,
    socket,
    receivedBytes: () => received,
    bySender,
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** Writes a block repeatedly for some time, as fast as the socket accepts it. */
export async function writeFor(socket: Socket, block: Uint8Array, ms: number): Promise<number> {
  const untilMs = performance.now() + ms;
  let written = 0;
  while (performance.now() < untilMs) {
    written += block.length;
    if (!socket.write(block)) await once(socket, "drain");
  }
  return written;
}
