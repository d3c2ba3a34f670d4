import { createHash, randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";

import { findFreePort as findFreePortFrom } from "@slipway/runtime";

/** The SHA-256 of bytes, in hexadecimal digits. */
export function digest(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Sends bytes to a local TCP port in front of an echo; returns the digest of the bytes that come back. */
export async function echoTcp(port: number, bytes: Uint8Array): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    socket.write(bytes);
    const hash = createHash("sha256");
    let count = 0;
    for await (const part of socket.iterator({ destroyOnReturn: false })) {
      hash.update(part);
      count += part.length;
      if (count >= bytes.length) break;
    }
    return hash.digest("hex");
  } finally {
    socket.destroy();
  }
}

const resendMs = 500;
/** The number of leading bytes of a datagram that identify its echo. */
const knownBytes = 8;

/**
 * Sends random datagrams to a local UDP port in front of an echo, one after another; returns the digest of the
 * echoes.
 */
export async function echoUdp(port: number, datagrams: readonly Uint8Array[]): Promise<string> {
  const socket = createSocket("udp4");
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  try {
    const hash = createHash("sha256");
    for (const datagram of datagrams) {
      hash.update(await echoOf(socket, datagram));
    }
    return hash.digest("hex");
  } finally {
    socket.close();
  }
}

function echoOf(socket: Socket, datagram: Uint8Array): Promise<Uint8Array> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const start = datagram.subarray(0, knownBytes);
  const take = (received: Buffer): void => {
    // It may be a second echo of a datagram that was sent again.
    if (received.subarray(0, knownBytes).equals(start)) resolve(received);
  };
  const send = (): void => socket.send(datagram);
  socket.on("message", take);
  send();
  // A datagram may be lost.
  const timer = setInterval(send, resendMs);
  return promise.finally(() => {
    clearInterval(timer);
    socket.off("message", take);
  });
}

/** Returns a TCP port that is free, below those that the system meanwhile picks for outgoing connections. */
export function findFreePort(): Promise<number> {
  return findFreePortFrom(randomInt(20_000, 32_000));
}
