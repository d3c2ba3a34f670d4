import { encodeHex } from "@slipway/wire/bytes/hex";
import { joinBytes } from "@slipway/wire/bytes/join";
import { YamuxError } from "@slipway/wire/yamux/events";
import type { YamuxEvent } from "@slipway/wire/yamux/events";
import { encodeHeader, Flag, FrameType } from "@slipway/wire/yamux/header";
import { maxWaitingReplies } from "@slipway/wire/yamux/output";
import { YamuxSession } from "@slipway/wire/yamux/session";
import { initialWindow } from "@slipway/wire/yamux/stream-state";

import { chunksOf, expectSame, expectThat, outcomeOf } from "../expectations.ts";
import { recordedSessions } from "../recordings.ts";
import type { FuzzTarget } from "../target.ts";

/** The leading bytes of the input, which determine how the owner uses its streams while the rest arrives. */
const headBytes = 2;

/**
 * Either side of a session that has open streams. The same bytes in different chunks give the same events and the
 * same output; the debt to a peer stays bounded.
 */
export const yamuxTarget: FuzzTarget = {
  name: "yamux",
  maxBytes: 16 * 1024,
  maxMs: 100,
  words: [
    "\0\0\0\u0001",
    "\0\u0001\0\u0001",
    "\0\u0001\0\u0004",
    "\0\u0002\0\u0001",
    "\0\u0003\0\0",
  ],
  seeds: () => [
    ...["c", "s"].flatMap((from) =>
      recordedSessions(from === "c" ? "c" : "s").map((bytes) =>
        joinBytes([Uint8Array.of(from === "c" ? 0 : 1, 40), bytes.subarray(0, 2048)]),
      ),
    ),
    ...[0, 1, 2, 3].map((head) => joinBytes([Uint8Array.of(head, 7), ...conversation()])),
  ],
  check: (input) => {
    const [role = 0, seed = 0] = input;
    const bytes = input.subarray(headBytes);
    const whole = receive(role, [bytes]);
    const split = receive(role, chunksOf(bytes, seed));
    expectSame("the events with other chunks", split, whole);
  },
};

function conversation(): readonly Uint8Array[] {
  const header = (type: FrameType, flags: number, streamId: number, length = 0): Uint8Array =>
    encodeHeader({ type, flags, streamId, length });
  return [
    header(FrameType.windowUpdate, Flag.syn, 1),
    header(FrameType.data, 0, 1, 5),
    Uint8Array.of(1, 2, 3, 4, 5),
    header(FrameType.windowUpdate, Flag.ack, 1, 100),
    header(FrameType.windowUpdate, Flag.ack, 2, 100),
    header(FrameType.data, Flag.syn | Flag.fin, 3, 1),
    Uint8Array.of(9),
    header(FrameType.ping, Flag.syn, 0, 77),
    header(FrameType.ping, Flag.ack, 0, 0),
    header(FrameType.windowUpdate, Flag.rst, 1),
    header(FrameType.goAway, 0, 0, 0),
  ];
}

function receive(role: number, chunks: readonly Uint8Array[]): unknown {
  const session = new YamuxSession(role % 2 === 0 ? "server" : "client", { maxStreams: 8 });
  const events: YamuxEvent[] = [];
  if (role >= 2) openTwo(session);
  const outcome = outcomeOf(() => {
    for (const chunk of chunks) events.push(...session.receive(chunk, 0));
  }, YamuxError);
  if (outcome.kind === "refused") events.push(...session.takeEvents());
  const output = session.takeOutput() ?? new Uint8Array(0);
  // Two of our own streams may send a window each; the rest are headers.
  expectThat(
    output.length <= 12 * (maxWaitingReplies + 100) + 2 * initialWindow,
    "output is bounded",
  );
  return { outcome, events: joinData(events), output: encodeHex(output.subarray(0, 4096)) };
}

function openTwo(session: YamuxSession): void {
  for (const size of [10, 100_000]) {
    const id = session.open(0);
    session.write(id, new Uint8Array(size));
    if (size === 10) session.finish(id);
  }
  session.ping(0);
}

/** Joins consecutive data events of one stream. */
function joinData(events: readonly YamuxEvent[]): readonly unknown[] {
  const joined: { type: string; streamId?: number; data?: string }[] = [];
  for (const event of events) {
    const last = joined.at(-1);
    if (event.type !== "data") joined.push(event);
    else if (last?.data !== undefined && last.streamId === event.streamId) {
      last.data += encodeHex(event.bytes);
    } else joined.push({ type: "data", streamId: event.streamId, data: encodeHex(event.bytes) });
  }
  return joined;
}
