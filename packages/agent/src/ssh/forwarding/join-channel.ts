import type { Socket } from "node:net";

import type { ServerChannel } from "ssh2";

import type { DescriptorShare } from "../../connections/descriptors.ts";
import { writeTo } from "../../connections/write-to.ts";
import { ChannelWriter, type ConnectionOutput } from "../channel-output.ts";

/** The parts of the connection that its forwarded channels need. */
export interface ForwardingConnection {
  readonly output: ConnectionOutput;
  readonly descriptors: DescriptorShare;
  readonly ended: AbortSignal;
  readonly watch: (channel: ServerChannel, ended: AbortSignal) => void;
}

/**
 * Forwards bytes between a channel and a socket, and the end of each direction. Resolves when both directions have ended or one
 * has failed, and both ends are closed.
 */
export async function joinChannel(
  channel: ServerChannel,
  socket: Socket,
  { output, ended: connectionEnded, watch }: ForwardingConnection,
): Promise<void> {
  const closed = new AbortController();
  channel.once("close", () => closed.abort());
  socket.once("error", () => closed.abort());
  const ended = AbortSignal.any([connectionEnded, closed.signal]);
  const cut = (): void => void socket.destroy();
  ended.addEventListener("abort", cut, { once: true });
  watch(channel, ended);
  const writer = new ChannelWriter(channel, output, ended);
  try {
    await Promise.all([fromChannel(channel, socket, ended), fromSocket(socket, channel, writer)]);
  } catch {
    // If one direction fails, the other is useless.
  } finally {
    socket.destroy();
    channel.close();
    channel.resume();
    ended.removeEventListener("abort", cut);
    closed.abort();
  }
}

async function fromChannel(
  channel: ServerChannel,
  socket: Socket,
  ended: AbortSignal,
): Promise<void> {
  for await (const chunk of channel.iterator({ destroyOnReturn: false })) {
    await writeTo(socket, chunk, ended);
  }
  socket.end();
}

async function fromSocket(
  socket: Socket,
  channel: ServerChannel,
  writer: ChannelWriter,
): Promise<void> {
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    await writer.write("stdout", chunk);
  }
  channel.eof();
}

/** Counts an accepted socket until it is closed. Destroys it and returns false if there is no descriptor left. */
export function takeSocket(socket: Socket, { descriptors }: ForwardingConnection): boolean {
  socket.on("error", () => undefined);
  const descriptor = descriptors.take(1);
  if (descriptor === undefined) {
    socket.destroy();
    return false;
  }
  socket.once("close", () => descriptor[Symbol.dispose]());
  return true;
}
