import { setTimeout as pause } from "node:timers/promises";

import type { RawAgent } from "../processes/raw-agent.ts";
import type { Play } from "./trick.ts";

/**
 * Frames of a hostile agent that are not calls. Each trick ends when the server closes the session or has read
 * enough.
 */
export interface FrameTrick {
  readonly name: string;
  readonly run: (agent: RawAgent, play: Play, signal: AbortSignal) => Promise<void>;
}

/** The limit of unsent bytes in our own socket before writing pauses. */
const maxUnsentBytes = 1024 * 1024;
const forMs = 3_000;

export const frameTricks: readonly FrameTrick[] = [
  {
    name: "streams opened and reset",
    run: (agent, play) => {
      let stream = 1001;
      return flood(agent, play, () => {
        const frames: Uint8Array[] = [];
        for (let count = 0; count < 2_000; count += 1) {
          stream += 2;
          frames.push(yamuxFrame(1, { flags: 1, stream }), yamuxFrame(1, { flags: 8, stream }));
        }
        return Buffer.concat(frames);
      });
    },
  },
  {
    name: "yamux pings",
    run: (agent, play) => {
      const ping = yamuxFrame(2, { flags: 1, stream: 0 });
      const pings = Buffer.concat(Array.from({ length: 5_000 }, () => ping));
      return flood(agent, play, () => pings);
    },
  },
  {
    name: "tiny WebSocket messages",
    run: async (agent, play, signal) => {
      const until = performance.now() + forMs;
      const parts = [...yamuxFrame(2, { flags: 1, stream: 0 })].map((byte) => Buffer.of(byte));
      while (performance.now() < until && agent.socket.readyState === agent.socket.OPEN) {
        for (let count = 0; count < 500; count += 1) {
          for (const part of parts) agent.socket.send(part);
        }
        while (agent.socket.bufferedAmount > maxUnsentBytes) {
          if (performance.now() > until || agent.socket.readyState !== agent.socket.OPEN) break;
          await pause(5, undefined, { signal });
        }
        await pause(1, undefined, { signal });
      }
      play.note(agent.socket.readyState === agent.socket.OPEN);
    },
  },
  {
    name: "WebSocket pings",
    run: async (agent, play, signal) => {
      const until = performance.now() + forMs;
      while (performance.now() < until && agent.socket.readyState === agent.socket.OPEN) {
        for (let count = 0; count < 5_000; count += 1) agent.socket.ping();
        while (agent.socket.bufferedAmount > maxUnsentBytes) {
          if (performance.now() > until || agent.socket.readyState !== agent.socket.OPEN) break;
          await pause(5, undefined, { signal });
        }
        await pause(1, undefined, { signal });
      }
      play.note(agent.socket.readyState === agent.socket.OPEN);
    },
  },
];

/** Sends messages for a while, as fast as the server reads them. */
async function flood(agent: RawAgent, play: Play, next: () => Uint8Array): Promise<void> {
  const until = performance.now() + forMs;
  while (performance.now() < until && agent.socket.readyState === agent.socket.OPEN) {
    if (agent.socket.bufferedAmount < maxUnsentBytes) agent.socket.send(next());
    await pause(2);
  }
  play.note(agent.socket.readyState === agent.socket.OPEN);
}

/** Encodes a yamux frame without data (docs/protocol/rpc.md §1.3). */
function yamuxFrame(
  type: number,
  { flags, stream }: { readonly flags: number; readonly stream: number },
): Uint8Array {
  const frame = Buffer.alloc(12);
  frame[1] = type;
  frame.writeUInt16BE(flags, 2);
  frame.writeUInt32BE(stream, 4);
  return frame;
}
