import type { DescMessage, DescMethod } from "@bufbuild/protobuf";
import {
  readRecording,
  type RecordedChunk,
  recordedChunks,
  recordingNames,
} from "@slipway/testkit/recordings";
import { expect, it } from "vitest";

import { encodeHex } from "./bytes/hex.ts";
import { joinBytes } from "./bytes/join.ts";
import { parseUtf8 } from "./bytes/utf8.ts";
import { DrpcCaller } from "./drpc/caller.ts";
import { encodeFrame, parseFrame, PacketKind } from "./drpc/frame.ts";
import { PacketReader } from "./drpc/packet-reader.ts";
import type { DrpcPacket } from "./drpc/packet.ts";
import { DrpcResponder } from "./drpc/responder.ts";
import { rpcPath } from "./protobuf/descriptors.ts";
import { Agent } from "./protobuf/gen/agent_pb.ts";
import { Tailnet } from "./protobuf/gen/tailnet_pb.ts";
import { encodeMessage, parseMessage } from "./protobuf/message.ts";
import { encodeHeader, FrameType, headerBytes, parseHeader } from "./yamux/header.ts";
import { YamuxSession } from "./yamux/session.ts";

/*
 * Recordings of stock peers, decoded into messages and encoded again at each layer.
 * Fails in a checkout without the recordings beside it: set SLIPWAY_SHARED.
 */

/** Returns the binary WebSocket messages of each connection to `/me/rpc`. */
function connectionsOf(name: string): readonly (readonly RecordedChunk[])[] {
  const records = readRecording(name);
  return records
    .filter(({ path }) => path?.includes("/me/rpc") === true)
    .map(({ id }) => recordedChunks(records, id));
}

const names = recordingNames("agent");

const methods = new Map<string, DescMethod>(
  [...Agent.methods, ...Tailnet.methods].map((method) => [rpcPath(method), method]),
);

function methodOf(path: string): DescMethod {
  const method = methods.get(path);
  if (method === undefined) throw new Error(`no method ${path}`);
  return method;
}

/** Returns the payloads of each yamux stream, after every header was encoded again and compared. */
function payloadsOf(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const payloads = new Map<number, Uint8Array[]>();
  let at = 0;
  while (at < bytes.length) {
    const header = parseHeader(bytes, at);
    if (header === undefined) throw new Error(`cut off in a header at ${String(at)}`);
    expect(encodeHex(encodeHeader(header))).toBe(encodeHex(bytes.subarray(at, at + headerBytes)));
    at += headerBytes;
    if (header.type !== FrameType.data) continue;
    const payload = bytes.subarray(at, at + header.length);
    expect(payload).toHaveLength(header.length);
    payloads.set(header.streamId, [...(payloads.get(header.streamId) ?? []), payload]);
    at += header.length;
  }
  return new Map([...payloads].map(([id, pieces]) => [id, joinBytes(pieces)]));
}

/** Returns the packets of a yamux stream, after every frame was encoded again and compared. */
function packetsOf(bytes: Uint8Array): readonly DrpcPacket[] {
  let at = 0;
  while (at < bytes.length) {
    const parsed = parseFrame(bytes, at);
    if (parsed.type === "incomplete") throw new Error(`cut off in a frame at ${String(at)}`);
    expect(encodeHex(encodeFrame(parsed.frame))).toBe(encodeHex(bytes.subarray(at, parsed.next)));
    at = parsed.next;
  }
  return [...new PacketReader().read(bytes)];
}

function messagesOf(packets: readonly DrpcPacket[]): readonly Uint8Array[] {
  return packets.filter(({ kind }) => kind === PacketKind.message).map(({ data }) => data);
}

/** In no recording do the entries of a map have another order than ours. */
function expectSame(schema: DescMessage, bytes: Uint8Array): void {
  const message = parseMessage(schema, bytes);
  expect(message.$unknown).toBeUndefined();
  expect(encodeHex(encodeMessage(schema, message))).toBe(encodeHex(bytes));
}

const connections = names.flatMap((name) =>
  connectionsOf(name).map((chunks, index) => ({
    name: `${name} connection ${String(index)}`,
    chunks,
  })),
);

it("finds the five recordings", () => {
  expect(names).toHaveLength(5);
  expect(connections.length).toBeGreaterThanOrEqual(5);
});

it.each(connections)("reads and writes anew every layer of $name", ({ chunks }) => {
  const [sent, answered] = (["c", "s"] as const).map((from) =>
    payloadsOf(joinBytes(chunks.filter((chunk) => chunk.from === from).map(({ bytes }) => bytes))),
  );
  let messages = 0;
  for (const [id, bytes] of sent ?? []) {
    const requests = packetsOf(bytes);
    const invoke = requests.find(({ kind }) => kind === PacketKind.invoke);
    const method = methodOf(parseUtf8(invoke?.data ?? new Uint8Array(0)));
    for (const data of messagesOf(requests)) expectSame(method.input, data);
    const replies = messagesOf(packetsOf(answered?.get(id) ?? new Uint8Array(0)));
    for (const data of replies) expectSame(method.output, data);
    messages += replies.length;
  }
  expect(messages).toBeGreaterThan(0);
});

it("follows all calls in the roles of both peers", () => {
  const events = new Map<string, number>();
  for (const { chunks } of connections) {
    const client = new Replay("client");
    const server = new Replay("server");
    for (const { from, bytes } of chunks) {
      const replay = from === "c" ? server : client;
      for (const event of replay.receive(bytes)) events.set(event, (events.get(event) ?? 0) + 1);
      // Our client opens the streams of the recorded one.
      while (client.opened < server.opened) client.open();
    }
  }
  expect(Object.fromEntries(events)).toEqual({
    "client accepted": 123,
    "client message": 114,
    "client end": 113,
    // The connection whose workspace changed its owner.
    "client error": 2,
    "client finished": 125,
    // Three streams ended before their call started.
    "server invoke": 122,
    "server message": 128,
    "server close-send": 116,
    // All of them are the Close after a reply.
    "server cancel": 107,
    "server finished": 125,
  });
});

/** A session and the calls on its streams, fed with the other peer's bytes. */
class Replay {
  readonly #role: "client" | "server";
  readonly #session: YamuxSession;
  readonly #calls = new Map<number, DrpcCaller | DrpcResponder>();
  opened = 0;

  constructor(role: "client" | "server") {
    this.#role = role;
    this.#session = new YamuxSession(role);
  }

  open(): void {
    const caller = new DrpcCaller();
    caller.invoke("/");
    this.#calls.set(this.#session.open(0), caller);
    this.opened += 1;
  }

  /** Returns the events as words. */
  receive(bytes: Uint8Array): readonly string[] {
    const heard: string[] = [];
    for (const event of this.#session.receive(bytes, 0)) {
      if (event.type === "opened") {
        this.#calls.set(event.streamId, new DrpcResponder());
        this.opened += 1;
      } else if (event.type === "data") {
        const calls = this.#calls.get(event.streamId)?.receive(event.bytes) ?? [];
        heard.push(...calls.map(({ type }) => type));
        this.#session.consume(event.streamId, event.bytes.length);
      } else {
        heard.push(event.type);
      }
    }
    this.#session.takeOutput();
    return heard.map((type) => `${this.#role} ${type}`);
  }
}
