import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex } from "../bytes/hex.ts";
import { joinBytes } from "../bytes/join.ts";
import { YamuxError } from "./events.ts";
import { encodeHeader, Flag, FrameType } from "./header.ts";
import { maxWaitingReplies } from "./output.ts";
import { YamuxSession } from "./session.ts";

const { data, windowUpdate, ping } = FrameType;

function header(type: FrameType, flags: number, streamId: number, length = 0): Uint8Array {
  return encodeHeader({ type, flags, streamId, length });
}

const opened = header(windowUpdate, Flag.syn, 1);

it.each([
  ["SYN for a stream in use", [opened, opened]],
  ["SYN for stream 0", [header(windowUpdate, Flag.syn, 0)]],
  ["a second FIN", [opened, header(windowUpdate, Flag.fin, 1), header(windowUpdate, Flag.fin, 1)]],
  ["data after FIN", [opened, header(windowUpdate, Flag.fin, 1), header(data, 0, 1, 1)]],
  ["a frame beyond the window", [opened, header(data, 0, 1, 262_145)]],
  [
    "frames beyond the window",
    [opened, header(data, 0, 1, 262_144), new Uint8Array(262_144), header(data, 0, 1, 1)],
  ],
  ["credit beyond 2^32 - 1", [opened, header(windowUpdate, 0, 1, 0xffff_ffff)]],
  ["another version", [Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)]],
  ["an unknown type", [Uint8Array.of(0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)]],
])("ends the session with GoAway 1 for %s", (_, frames) => {
  const session = new YamuxSession("server");
  const dead = expect.objectContaining({ name: "YamuxError", code: "protocol-error" });
  expect(() => session.receive(joinBytes(frames), 0)).toThrow(dead);
  expect(encodeHex(session.takeOutput() ?? new Uint8Array(0))).toBe("000300000000000000000001");
  expect(() => session.receive(opened, 0)).toThrow(dead);
  expect(() => session.ping(0)).toThrow(dead);
  expect(session.takeOutput()).toBeUndefined();
});

it("still tells what happened before the error", () => {
  const session = new YamuxSession("server");
  expect(() => session.receive(joinBytes([opened, opened]), 0)).toThrow(YamuxError);
  expect(session.takeEvents()).toEqual([{ type: "opened", streamId: 1 }]);
});

it("resets streams beyond the limit and drops their data, until one is over", () => {
  const session = new YamuxSession("server", { maxStreams: 2 });
  const open = (id: number) => session.receive(header(windowUpdate, Flag.syn, id), 0);
  open(1);
  open(3);
  session.takeOutput();
  expect(open(5)).toEqual([]);
  expect(encodeHex(session.takeOutput() ?? new Uint8Array(0))).toBe("000100080000000500000000");
  expect(session.receive(joinBytes([header(data, 0, 5, 2), Uint8Array.of(1, 2)]), 0)).toEqual([]);
  session.reset(1);
  session.takeEvents();
  expect(open(7)).toEqual([{ type: "opened", streamId: 7 }]);
});

it("takes 256 streams by default", () => {
  const session = new YamuxSession("server");
  const frames = Array.from({ length: 300 }, (_, at) => header(windowUpdate, Flag.syn, at * 2 + 1));
  expect(session.receive(joinBytes(frames), 0)).toHaveLength(256);
});

it.each([
  ["pings", header(ping, Flag.syn, 0, 7)],
  ["streams", header(windowUpdate, Flag.syn, 9)],
])("ends the session if %s ask for more answers than are taken", (_, frame) => {
  const session = new YamuxSession("server", { maxStreams: 0 });
  session.receive(joinBytes(Array(maxWaitingReplies).fill(frame)), 0);
  expect(() => session.receive(frame, 0)).toThrow(expect.objectContaining({ code: "reply-flood" }));
  expect(session.takeOutput()).toBeUndefined();
});

it("remembers a bounded number of pings", () => {
  const session = new YamuxSession("server");
  for (let count = 0; count < 1000; count += 1) session.ping(0);
  expect(session.receive(header(ping, Flag.ack, 0, 0), 0)).toEqual([]);
  expect(session.receive(header(ping, Flag.ack, 0, 999), 0)).toEqual([{ type: "pong", id: 999 }]);
});

it("sends no more than the peer's credit", () => {
  const session = new YamuxSession("client");
  session.write(session.open(0), new Uint8Array(1_000_000));
  expect(session.takeOutput()).toHaveLength(12 + 12 + 262_144);
  session.receive(header(windowUpdate, Flag.ack, 1, 5), 0);
  expect(session.takeOutput()).toHaveLength(12 + 5);
  expect(session.takeOutput()).toBeUndefined();
});

it("raises only its own error for random bytes in random chunks", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), (chunks) =>
      receivesAll(new YamuxSession("server"), chunks),
    ),
    { numRuns: 500 },
  );
});

it("raises only its own error for random frames", () => {
  const frame = fc
    .record({
      type: fc.constantFrom(...Object.values(FrameType)),
      flags: fc.nat(15),
      streamId: fc.nat(4),
      length: fc.oneof(fc.nat(20), fc.constant(0xffff_ffff), fc.constant(262_144)),
    })
    .map((fields) => {
      const payload = fields.type === data ? fields.length % 100 : 0;
      return joinBytes([encodeHeader(fields), new Uint8Array(payload)]);
    });
  fc.assert(
    fc.property(fc.array(frame), (frames) => receivesAll(new YamuxSession("server"), frames)),
    { numRuns: 1000 },
  );
});

/** Feeds all chunks; false if anything but a `YamuxError` is thrown. */
function receivesAll(session: YamuxSession, chunks: readonly Uint8Array[]): boolean {
  try {
    for (const chunk of chunks) {
      session.receive(chunk, 0);
      session.takeOutput();
    }
    return true;
  } catch (error) {
    return error instanceof YamuxError;
  }
}
