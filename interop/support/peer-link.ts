import type { ChildProcess } from "node:child_process";
import { Readable, Writable } from "node:stream";

import type { SendPackets } from "@slipway/tailnet/stack/packet-batch";
import type { TcpOptions } from "@slipway/wire/tcp/connection-options";

import { ImpairedPath, type PathOptions, type TakePackets } from "./impaired-path.ts";

/** The path of packets between our stack and the peer's. */
export interface PeerLink {
  /** The arguments that tell the peer about it. */
  readonly arguments: readonly string[];
  /** The limits of our connections over it. */
  readonly tcp: TcpOptions;
  /** Delivers the peer's packets from now on; returns the function that sends ours. */
  attach(child: ChildProcess, deliver: TakePackets): SendPackets;
  /** Receives the peer's UDP port, if it has one. */
  connect(port: number): void;
  close(): Promise<void>;
}

/** Pipes to and from the peer; each packet follows its length. */
export class PipeLink implements PeerLink {
  readonly arguments = [];
  readonly tcp = {};
  readonly #path: PathOptions | undefined;

  /** `path` impairs packets (default: no faults). */
  constructor(path?: PathOptions) {
    this.#path = path;
  }

  attach({ stdin, stdout }: ChildProcess, deliver: TakePackets): SendPackets {
    if (!(stdin instanceof Writable) || !(stdout instanceof Readable)) {
      throw new Error("peer has no pipes");
    }
    const toPeer = impair(this.#path, 1, (packets) => void stdin.write(frame(packets)));
    readFrames(stdout, impair(this.#path, 2, deliver));
    if (this.#path === undefined) return toPeer;
    return (packets) => toPeer(packets.map((packet) => packet.slice()));
  }

  connect(port: number): void {
    throw new Error(`peer uses UDP port ${String(port)}, wanted pipes`);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function impair(path: PathOptions | undefined, seed: number, deliver: TakePackets): TakePackets {
  if (path === undefined) return deliver;
  const impaired = new ImpairedPath(path, seed, deliver);
  return (packets) => impaired.send(packets);
}

/** Prefixes packets with their lengths. */
function frame(packets: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.allocUnsafe(packets.reduce((sum, { length }) => sum + 2 + length, 0));
  let at = 0;
  for (const packet of packets) {
    at = bytes.writeUInt16BE(packet.length, at);
    bytes.set(packet, at);
    at += packet.length;
  }
  return bytes;
}

function readFrames(stream: Readable, take: TakePackets): void {
  let rest: Buffer = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const packets: Uint8Array[] = [];
    let at = 0;
    while (at + 2 <= bytes.length && at + 2 + bytes.readUInt16BE(at) <= bytes.length) {
      const end = at + 2 + bytes.readUInt16BE(at);
      packets.push(bytes.subarray(at + 2, end));
      at = end;
    }
    rest = bytes.subarray(at);
    take(packets);
  });
}
