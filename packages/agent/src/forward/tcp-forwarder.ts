import { connect, type Socket } from "node:net";

import { abortable } from "@slipway/runtime";
import type { RequestHandler } from "@slipway/tailnet/stack/tcp-layer";
import type { TcpRequest } from "@slipway/tailnet/stack/tcp-request";
import type { TcpStream } from "@slipway/tailnet/stack/tcp-stream";

import { keepAlive } from "../connections/accepted-connection.ts";
import type { DescriptorShare } from "../connections/descriptors.ts";
import { writeTo } from "../connections/write-to.ts";

/** The addresses to try for a forwarded port, in order (docs/protocol/tailnet.md §1.5). */
const loopback = ["127.0.0.1", "::1"] as const;
/** The time for a port of the workspace to answer; the kernel answers immediately. */
const connectTimeoutMs = 10_000;
/** The maximum number of connections; further ones are refused. */
const maxConnections = 2048;

/**
 * Forwards connections to ports of the workspace's loopback interface, until the signal is aborted. Dials the port before it
 * completes the peer's handshake, so that a port without a listener is refused, as it is locally.
 */
export function createTcpForwarder(
  signal: AbortSignal,
  descriptors: DescriptorShare,
): RequestHandler {
  let connections = 0;
  return (request) => {
    const hasRoom = !signal.aborted && connections < maxConnections;
    const descriptor = hasRoom ? descriptors.take(1) : undefined;
    if (descriptor === undefined) {
      request.refuse();
      return;
    }
    connections += 1;
    void forward(request, signal).finally(() => {
      connections -= 1;
      descriptor[Symbol.dispose]();
    });
  };
}

async function forward(request: TcpRequest, signal: AbortSignal): Promise<void> {
  const socket = await dial(request.local.port, signal);
  if (socket === undefined) {
    request.refuse();
    return;
  }
  const stream = request.accept();
  if (stream === undefined) socket.destroy();
  else await join(stream, socket, signal);
}

async function dial(port: number, signal: AbortSignal): Promise<Socket | undefined> {
  for (const host of loopback) {
    const socket = signal.aborted ? undefined : await dialOne(host, port, signal);
    if (socket !== undefined) return socket;
  }
  return undefined;
}

/** Resolves to undefined if the port does not answer. */
function dialOne(host: string, port: number, signal: AbortSignal): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const settle = (result: Socket | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", fail);
      resolve(result);
    };
    const fail = (): void => {
      socket.destroy();
      settle(undefined);
    };
    const timer = setTimeout(fail, connectTimeoutMs);
    signal.addEventListener("abort", fail, { once: true });
    // Reading and writing notice later errors.
    socket.on("error", fail);
    socket.once("connect", () => settle(socket));
  });
}

/** Forwards bytes in both directions, and the end of each, until both have ended or one has failed. */
async function join(stream: TcpStream, socket: Socket, stopping: AbortSignal): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([stopping, failed.signal]);
  // Neither direction may be reading from the peer.
  void stream.closed.then(() => {
    if (stream.failure !== undefined) failed.abort(stream.failure);
  });
  try {
    await stream.connected;
    stream.setKeepAlive(keepAlive);
    const directions = [toWorkspace(stream, socket, signal), toPeer(socket, stream, signal)];
    await abortable(Promise.all(directions), signal);
    stream.close();
  } catch {
    // A reset on one side resets the other.
    stream.abort();
    if (!socket.destroyed) socket.resetAndDestroy();
  } finally {
    failed.abort();
    socket.destroy();
  }
}

async function toWorkspace(stream: TcpStream, socket: Socket, signal: AbortSignal): Promise<void> {
  for (;;) {
    const bytes = await stream.read(signal);
    if (bytes === undefined) break;
    await writeTo(socket, bytes, signal);
  }
  socket.end();
}

async function toPeer(socket: Socket, stream: TcpStream, signal: AbortSignal): Promise<void> {
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    await stream.write(chunk, signal);
  }
  stream.finish();
}
