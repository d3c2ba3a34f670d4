import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

import type { ByteChannel, OpenChannel } from "./byte-channel.ts";

/** A program that echoes each key by itself, as a shell's line editor does. */
const echoCommand = "stty raw -echo; printf ready; exec cat";
const limitMs = 60_000;

/** Waits until a text has arrived. */
export async function untilSeen(channel: ByteChannel, wanted: string): Promise<void> {
  const seen = Promise.withResolvers<void>();
  let text = "";
  channel.onBytes((bytes) => {
    text += Buffer.from(bytes).toString("latin1");
    if (text.includes(wanted)) seen.resolve();
  });
  const late = AbortSignal.timeout(limitMs);
  const gone = channel.ended.then(() => {
    throw new Error(`channel ended after ${JSON.stringify(text)}, wanted ${wanted}`);
  });
  await Promise.race([seen.promise, gone, once(late, "abort").then(() => late.throwIfAborted())]);
}

/** Opens channels whose other ends echo their input. The caller closes them. */
export async function openEchoes(open: OpenChannel, count: number): Promise<ByteChannel[]> {
  const channels: ByteChannel[] = [];
  while (channels.length < count) {
    const channel = await open(echoCommand);
    await untilSeen(channel, "ready");
    channels.push(channel);
  }
  return channels;
}

export interface Typing {
  /** The number of keys typed on each channel. */
  readonly keys: number;
  /** The time between two keys of a channel. */
  readonly everyMs: number;
}

/** Types on all channels concurrently; returns the times from each key to its echo, in milliseconds. */
export async function measureEchoes(
  channels: readonly ByteChannel[],
  { keys, everyMs }: Typing,
): Promise<number[]> {
  const typed = channels.map(async (channel, index) => {
    await pause((everyMs * index) / channels.length);
    const times: number[] = [];
    while (times.length < keys) {
      const startedMs = performance.now();
      await typeKey(channel);
      const tookMs = performance.now() - startedMs;
      times.push(tookMs);
      await pause(Math.max(0, everyMs - tookMs));
    }
    return times;
  });
  return (await Promise.all(typed)).flat();
}

function typeKey(channel: ByteChannel): Promise<void> {
  return new Promise((resolve) => {
    channel.onBytes(() => resolve());
    channel.write("x");
  });
}

/** Returns the combined output of all channels in megabytes per second, from the first byte on. */
export async function measureOutput(
  open: OpenChannel,
  { count, bytes }: { readonly count: number; readonly bytes: number },
): Promise<number> {
  const each = Math.floor(bytes / count);
  const command = `stty raw -echo; printf ready; read -r go; exec head -c ${String(each)} /dev/zero`;
  const channels: ByteChannel[] = [];
  while (channels.length < count) {
    const channel = await open(command);
    await untilSeen(channel, "ready");
    channels.push(channel);
  }
  const printed = channels.map((channel) => untilPrinted(channel, each));
  const startedMs = performance.now();
  for (const channel of channels) channel.write("\n");
  await Promise.all(printed);
  const tookMs = performance.now() - startedMs;
  for (const channel of channels) channel.close();
  await Promise.all(channels.map((channel) => channel.ended));
  return (each * count) / 1_000 / tookMs;
}

function untilPrinted(channel: ByteChannel, wanted: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    channel.onBytes((piece) => {
      bytes += piece.length;
      if (bytes >= wanted) resolve();
    });
    void channel.ended.then(() =>
      reject(new Error(`channel ended after ${String(bytes)} bytes, wanted ${String(wanted)}`)),
    );
  });
}
