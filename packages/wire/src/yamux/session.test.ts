import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { joinBytes } from "../bytes/join.ts";
import { encodeHeader, Flag, FrameType } from "./header.ts";
import { YamuxSession } from "./session.ts";

const { data, windowUpdate, goAway } = FrameType;

function header(type: FrameType, flags: number, streamId: number, length = 0): Uint8Array {
  return encodeHeader({ type, flags, streamId, length });
}

function dataFrame(streamId: number, bytes: Uint8Array, flags = 0): Uint8Array {
  return joinBytes([header(data, flags, streamId, bytes.length), bytes]);
}

function output(session: YamuxSession): string {
  return encodeHex(session.takeOutput() ?? new Uint8Array(0));
}

/** Opens a server on which the peer has opened stream 1. */
function serverWithStream(): YamuxSession {
  const session = new YamuxSession("server");
  session.receive(header(windowUpdate, Flag.syn, 1), 0);
  session.takeOutput();
  return session;
}

/** Opens a client that has opened stream 1, which the peer accepted. */
function clientWithStream(options = {}): YamuxSession {
  const session = new YamuxSession("client", options);
  session.open(0);
  session.takeOutput();
  session.receive(header(windowUpdate, Flag.ack, 1), 0);
  return session;
}

it("opens odd streams as a client and even ones as a server", () => {
  const client = new YamuxSession("client");
  const server = new YamuxSession("server");
  expect([client.open(0), client.open(0), server.open(0), server.open(0)]).toEqual([1, 3, 2, 4]);
  expect(output(client)).toBe("000100010000000100000000000100010000000300000000");
});

it("acknowledges a stream at once", () => {
  const session = new YamuxSession("server");
  expect(session.receive(header(windowUpdate, Flag.syn, 1), 0)).toEqual([
    { type: "opened", streamId: 1 },
  ]);
  expect(output(session)).toBe("000100020000000100000000");
  expect(session.takeOutput()).toBeUndefined();
});

it("lets acknowledgments and ends of streams wait, but no data, reply or credit", () => {
  const session = new YamuxSession("server");
  expect(session.isOutputPatient).toBe(false);
  session.receive(header(windowUpdate, Flag.syn, 1), 0);
  session.finish(1);
  expect(session.isOutputPatient).toBe(true);
  session.receive(header(FrameType.ping, Flag.syn, 0, 7), 0);
  expect(session.isOutputPatient).toBe(false);
  session.takeOutput();
  session.receive(header(windowUpdate, Flag.syn, 3), 0);
  session.write(3, Uint8Array.of(1));
  expect(session.isOutputPatient).toBe(false);
  session.takeOutput();
  session.receive(dataFrame(3, new Uint8Array(131_072)), 0);
  session.consume(3, 131_072);
  expect(session.isOutputPatient).toBe(false);
});

it("takes SYN on a Data frame and ids of either parity", () => {
  const session = new YamuxSession("server");
  const bytes = Uint8Array.of(1, 2);
  expect(session.receive(dataFrame(6, bytes, Flag.syn), 0)).toEqual([
    { type: "opened", streamId: 6 },
    { type: "data", streamId: 6, bytes },
  ]);
});

it("tells of the acknowledgement once", () => {
  const session = new YamuxSession("client");
  session.open(0);
  expect(session.receive(header(windowUpdate, Flag.ack, 1), 0)).toEqual([
    { type: "accepted", streamId: 1 },
  ]);
  expect(session.receive(header(windowUpdate, Flag.ack, 1), 0)).toEqual([]);
});

it("sends data behind SYN without waiting for the acknowledgement", () => {
  const session = new YamuxSession("client");
  session.write(session.open(0), Uint8Array.of(0xaa));
  session.finish(1);
  expect(output(session)).toBe(
    "000100010000000100000000000000000000000100000001aa000100040000000100000000",
  );
});

it("joins what was written meanwhile into one frame", () => {
  const session = serverWithStream();
  session.write(1, Uint8Array.of(1));
  session.write(1, Uint8Array.of(2, 3));
  expect(session.queuedBytes(1)).toBe(3);
  expect(output(session)).toBe("000000000000000100000003010203");
  expect(session.queuedBytes(1)).toBe(0);
});

it("answers a stream that ended before it was acknowledged with a lone FIN", () => {
  const session = new YamuxSession("server");
  const both = joinBytes([header(windowUpdate, Flag.syn, 1), header(windowUpdate, Flag.fin, 1)]);
  expect(session.receive(both, 0)).toEqual([
    { type: "opened", streamId: 1 },
    { type: "finished", streamId: 1 },
  ]);
  session.finish(1);
  expect(output(session)).toBe("000100040000000100000000");
  expect(session.takeEvents()).toEqual([{ type: "closed", streamId: 1 }]);
});

it("takes a lone FIN for the answer to its own stream", () => {
  const session = new YamuxSession("client");
  session.open(0);
  session.finish(1);
  session.takeOutput();
  expect(session.receive(header(windowUpdate, Flag.fin, 1), 0)).toEqual([
    { type: "finished", streamId: 1 },
    { type: "closed", streamId: 1 },
  ]);
  session.tick(29_000);
  expect(session.nextWake()).toBe(30_000);
});

it("goes on receiving after its own FIN", () => {
  const session = clientWithStream();
  session.finish(1);
  session.takeOutput();
  const bytes = Uint8Array.of(9);
  expect(session.receive(dataFrame(1, bytes, Flag.fin), 0)).toEqual([
    { type: "data", streamId: 1, bytes },
    { type: "finished", streamId: 1 },
    { type: "closed", streamId: 1 },
  ]);
});

it("sends FIN once, and after the data that waits for credit", () => {
  const session = clientWithStream();
  session.write(1, new Uint8Array(262_145));
  session.finish(1);
  session.finish(1);
  expect(session.takeOutput()).toHaveLength(12 + 262_144);
  expect(session.takeOutput()).toBeUndefined();
  session.receive(header(windowUpdate, 0, 1, 10), 0);
  expect(output(session)).toBe("00000000000000010000000100000100040000000100000000");
  session.finish(1);
  expect(session.takeOutput()).toBeUndefined();
});

it("refuses to write after finish, and to a stream that is not open", () => {
  const session = clientWithStream();
  session.finish(1);
  expect(() => {
    session.write(1, Uint8Array.of(1));
  }).toThrow(expect.objectContaining({ code: "stream-finished" }));
  expect(() => {
    session.write(3, Uint8Array.of(1));
  }).toThrow(expect.objectContaining({ code: "unknown-stream" }));
});

it("resets a stream, drops what was queued, and forgets it", () => {
  const session = clientWithStream();
  session.write(1, Uint8Array.of(1));
  session.reset(1);
  session.reset(1);
  expect(output(session)).toBe("000100080000000100000000");
  expect(session.takeEvents()).toEqual([{ type: "closed", streamId: 1 }]);
  expect(session.queuedBytes(1)).toBe(0);
});

it("hears a reset", () => {
  expect(clientWithStream().receive(header(windowUpdate, Flag.rst, 1), 0)).toEqual([
    { type: "reset", streamId: 1 },
    { type: "closed", streamId: 1 },
  ]);
});

it("drops frames of streams that are over or never were", () => {
  const session = clientWithStream();
  session.reset(1);
  session.takeEvents();
  const late = joinBytes([
    dataFrame(1, Uint8Array.of(1, 2, 3), Flag.fin),
    header(windowUpdate, 0, 1, 5),
    dataFrame(9, Uint8Array.of(1)),
    header(windowUpdate, Flag.rst, 9),
    header(windowUpdate, Flag.fin, 0),
  ]);
  expect(session.receive(late, 0)).toEqual([]);
});

it("drops the rest of a payload whose stream is reset meanwhile", () => {
  const session = clientWithStream();
  const frame = dataFrame(1, Uint8Array.of(1, 2, 3, 4), Flag.fin);
  expect(session.receive(frame.subarray(0, 14), 0)).toHaveLength(1);
  session.reset(1);
  session.takeEvents();
  expect(session.receive(frame.subarray(14), 0)).toEqual([]);
});

it("gives credit back when half of the window is consumed, not before", () => {
  const session = serverWithStream();
  session.receive(dataFrame(1, new Uint8Array(262_144)), 0);
  session.consume(1, 131_071);
  expect(session.takeOutput()).toBeUndefined();
  session.consume(1, 1);
  expect(output(session)).toBe("000100000000000100020000");
  session.consume(1, 131_072);
  expect(output(session)).toBe("000100000000000100020000");
});

it("puts credit into the acknowledgement if it can", () => {
  const session = new YamuxSession("server");
  session.receive(dataFrame(1, Uint8Array.of(1, 2, 3), Flag.syn), 0);
  session.consume(1, 2);
  expect(output(session)).toBe("000100020000000100000002");
});

it("lends no credit for the part of a frame that is still to come", () => {
  const session = serverWithStream();
  const frame = dataFrame(1, new Uint8Array(262_144));
  session.receive(frame.subarray(0, 12 + 131_072), 0);
  session.consume(1, 131_072);
  expect(output(session)).toBe("000100000000000100020000");
  session.receive(frame.subarray(12 + 131_072), 0);
  session.consume(1, 131_071);
  expect(session.takeOutput()).toBeUndefined();
});

it("gives no credit to a peer that has finished", () => {
  const session = serverWithStream();
  session.receive(dataFrame(1, new Uint8Array(200_000), Flag.fin), 0);
  session.consume(1, 200_000);
  expect(session.takeOutput()).toBeUndefined();
});

it("refuses to consume more than there is", () => {
  const session = serverWithStream();
  session.receive(dataFrame(1, new Uint8Array(3)), 0);
  expect(() => {
    session.consume(1, 4);
  }).toThrow(expect.objectContaining({ code: "consumed-too-much" }));
  session.consume(5, 1);
});

it("refuses to queue more than allowed and tells when there is room", () => {
  const session = clientWithStream({ maxQueuedBytes: 300_000 });
  session.write(1, new Uint8Array(300_000));
  expect(() => {
    session.write(1, Uint8Array.of(1));
  }).toThrow(expect.objectContaining({ code: "queue-full", retryable: true }));
  session.takeOutput();
  expect(session.takeEvents()).toEqual([{ type: "writable", streamId: 1 }]);
  session.write(1, Uint8Array.of(1));
});

it("answers a ping with its value", () => {
  const session = new YamuxSession("server");
  session.receive(parseHex("0002000100000000deadbeef"), 0);
  expect(output(session)).toBe("0002000200000000deadbeef");
});

it("numbers its pings and tells of each pong once", () => {
  const session = new YamuxSession("server");
  expect([session.ping(0), session.ping(0)]).toEqual([0, 1]);
  expect(output(session)).toBe("000200010000000000000000000200010000000000000001");
  const pong = parseHex("000200020000000000000001");
  expect(session.receive(pong, 0)).toEqual([{ type: "pong", id: 1 }]);
  expect(session.receive(pong, 0)).toEqual([]);
});

it("keeps the pongs of its keep-alive to itself", () => {
  const session = new YamuxSession("server");
  session.tick(0);
  session.tick(30_000);
  expect(output(session)).toBe("000200010000000000000000");
  expect(session.receive(parseHex("000200020000000000000000"), 30_001)).toEqual([]);
  expect(session.nextWake()).toBe(60_000);
});

it("dies of a keep-alive without an answer", () => {
  const session = new YamuxSession("server");
  session.tick(0);
  session.tick(30_000);
  const dead = expect.objectContaining({ name: "YamuxError", code: "keep-alive-timeout" });
  expect(() => {
    session.tick(40_000);
  }).toThrow(dead);
  expect(() => session.open(40_000)).toThrow(dead);
  expect(session.nextWake()).toBeUndefined();
});

it("dies if a stream is not acknowledged in 75 s", () => {
  const session = new YamuxSession("client");
  session.open(1000);
  for (const now of [31_000, 61_000]) {
    session.tick(now);
    session.receive(pongTo(session), now);
  }
  expect(session.nextWake()).toBe(76_000);
  session.tick(75_999);
  expect(() => {
    session.tick(76_000);
  }).toThrow(expect.objectContaining({ code: "open-timeout" }));
});

it("resets a stream that the peer does not finish in 5 minutes", () => {
  const session = clientWithStream();
  session.finish(1);
  session.takeOutput();
  for (let now = 30_000; now < 300_000; now += 30_000) {
    session.tick(now);
    session.receive(pongTo(session), now);
  }
  session.tick(299_999);
  expect(session.takeEvents()).toEqual([]);
  expect(session.nextWake()).toBe(300_000);
  session.tick(300_000);
  expect(session.takeEvents()).toEqual([
    { type: "reset", streamId: 1 },
    { type: "closed", streamId: 1 },
  ]);
  expect(output(session)).toContain("000100080000000100000000");
});

it("opens no stream after the peer's GoAway, and goes on with those there are", () => {
  const session = clientWithStream();
  expect(session.receive(header(goAway, 0, 0, 0), 0)).toEqual([{ type: "go-away", code: 0 }]);
  expect(() => session.open(0)).toThrow(expect.objectContaining({ code: "going-away" }));
  session.write(1, Uint8Array.of(1));
  expect(output(session)).toBe("00000000000000010000000101");
});

it.each([1, 2, 77])("dies of the peer's GoAway with code %i", (code) => {
  const session = clientWithStream();
  expect(() => session.receive(header(goAway, 0, 0, code), 0)).toThrow(
    expect.objectContaining({ code: "peer-failed" }),
  );
  expect(session.takeEvents()).toEqual([{ type: "go-away", code }]);
});

it("resets what the peer opens after its own GoAway", () => {
  const session = new YamuxSession("server");
  session.goAway(0);
  expect(session.receive(header(windowUpdate, Flag.syn, 1), 0)).toEqual([]);
  expect(output(session)).toBe("000300000000000000000000000100080000000100000000");
});

it("opens 256 streams ahead of the peer, then one for each answer", () => {
  const session = new YamuxSession("client");
  for (let count = 0; count < 256; count += 1) session.open(0);
  expect(() => session.open(0)).toThrow(
    expect.objectContaining({ code: "backlog-full", retryable: true }),
  );
  session.receive(header(windowUpdate, Flag.ack, 5), 0);
  session.open(0);
  session.receive(header(windowUpdate, Flag.rst, 7), 0);
  session.open(0);
  expect(() => session.open(0)).toThrow(expect.objectContaining({ code: "backlog-full" }));
});

/** Returns the response to the ping in the session's output. */
function pongTo(session: YamuxSession): Uint8Array {
  const bytes = session.takeOutput() ?? new Uint8Array(0);
  const pong = bytes.slice(-12);
  pong[3] = Flag.ack;
  return pong;
}
