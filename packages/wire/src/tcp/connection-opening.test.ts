import { expect, it } from "vitest";

import { ourSequence, ScriptedPeer } from "../../tests/support/scripted-peer.ts";

const bare = { flags: "", length: 0 };

it("opens with a SYN, and answers the peer's with an ACK", () => {
  const peer = ScriptedPeer.called({ windowScale: 7 });
  expect(peer.hear()).toMatchObject([{ at: 0, ack: undefined, flags: "S", window: 65_535 }]);
  expect(peer.saySyn()).toMatchObject([{ ...bare, at: 1, ack: 1 }]);
  expect(peer.connection.state).toBe("established");
  expect(peer.connection.takeEvents()).toEqual([{ type: "connected" }]);
});

it("accepts with a SYN that acknowledges the peer's", () => {
  const peer = ScriptedPeer.calling();
  expect(peer.hear()).toMatchObject([{ at: 0, ack: 1, flags: "S" }]);
  expect(peer.connection.state).toBe("syn-received");
  expect(peer.connection.takeEvents()).toEqual([]);
  expect(peer.say({})).toEqual([]);
  expect(peer.connection.state).toBe("established");
  expect(peer.connection.takeEvents()).toEqual([{ type: "connected" }]);
});

it("takes data and FIN that end the handshake", () => {
  const peer = ScriptedPeer.calling();
  peer.hear();
  expect(peer.say({ data: 10, flags: "F" })).toMatchObject([{ ...bare, ack: 12 }]);
  expect(peer.connection.readable).toBe(10);
  expect(peer.connection.takeEvents().map(({ type }) => type)).toEqual([
    "connected",
    "readable",
    "finished",
  ]);
  expect(peer.connection.state).toBe("close-wait");
});

it("works if both ends open at once (RFC 9293 figure 7)", () => {
  const peer = ScriptedPeer.called();
  peer.hear();
  expect(peer.saySyn({ ack: undefined })).toMatchObject([{ at: 0, ack: 1, flags: "S" }]);
  expect(peer.connection.state).toBe("syn-received");
  expect(peer.saySyn({ ack: 1 })).toMatchObject([{ ...bare, at: 1, ack: 1 }]);
  expect(peer.connection.state).toBe("established");
});

it("repeats a SYN after 1, 2, 4 … seconds and gives up after 127", () => {
  const peer = ScriptedPeer.called();
  peer.hear();
  expect(peer.wait(126_999).map(({ flags }) => flags)).toEqual(["S", "S", "S", "S", "S", "S"]);
  peer.wait(1);
  expect(peer.connection.state).toBe("closed");
  expect(peer.connection.takeEvents()).toMatchObject([
    { type: "closed", error: { code: "timed-out" } },
  ]);
});

it("repeats the answer to a SYN, and gives up half a minute later with a RST", () => {
  const peer = ScriptedPeer.calling();
  peer.hear();
  expect(peer.wait(31_000).map(({ flags }) => flags)).toEqual(["S", "S", "S", "S", "R"]);
  expect(peer.connection.state).toBe("closed");
});

it("answers a repeated SYN again", () => {
  const peer = ScriptedPeer.calling();
  peer.hear();
  expect(peer.saySyn({ ack: undefined })).toMatchObject([{ at: 0, ack: 1, flags: "S" }]);
});

it("is refused by a RST that acknowledges the SYN, and by no other", () => {
  const peer = ScriptedPeer.called();
  peer.hear();
  expect(peer.say({ at: 0, ack: 7, flags: "R" })).toEqual([]);
  expect(peer.say({ at: 0, ack: undefined, flags: "R" })).toEqual([]);
  expect(peer.connection.state).toBe("syn-sent");
  peer.say({ at: 0, ack: 1, flags: "R" });
  expect(peer.connection.takeEvents()).toMatchObject([
    { type: "closed", error: { code: "refused" } },
  ]);
});

it("answers what it has not sent with a RST while it opens", () => {
  const peer = ScriptedPeer.called();
  peer.hear();
  expect(peer.saySyn({ ack: 700 })).toMatchObject([{ at: 700, ack: undefined, flags: "R" }]);
  expect(peer.connection.state).toBe("syn-sent");
  const other = ScriptedPeer.calling();
  other.hear();
  expect(other.say({ ack: 2 })).toMatchObject([{ at: 2, ack: undefined, flags: "R" }]);
  expect(other.connection.state).toBe("syn-received");
});

it("forgets a half-open connection when a RST comes where it is expected", () => {
  const peer = ScriptedPeer.calling();
  peer.hear();
  peer.say({ at: 5, flags: "R", ack: undefined });
  expect(peer.connection.state).toBe("syn-received");
  peer.say({ at: 1, flags: "R", ack: undefined });
  expect(peer.connection.state).toBe("closed");
});

it("finishes at once when it was asked to while it opened", () => {
  const peer = ScriptedPeer.called();
  peer.hear();
  peer.connection.finish(peer.now);
  expect(peer.saySyn()).toMatchObject([{ flags: "F", at: 1, ack: 1 }]);
  expect(peer.connection.state).toBe("fin-wait-1");
});

it("closes without a word before the peer has answered, and with a RST after", () => {
  const unanswered = ScriptedPeer.called();
  unanswered.hear();
  unanswered.connection.close(unanswered.now);
  expect(unanswered.hear()).toEqual([]);
  expect(unanswered.connection.state).toBe("closed");
  const half = ScriptedPeer.calling();
  half.hear();
  half.connection.close(half.now);
  expect(half.hear()).toMatchObject([{ flags: "R", at: 1, ack: 1 }]);
});

it("ends when ICMPv6 says that its SYN did not arrive, unless the peer has answered", () => {
  const peer = ScriptedPeer.called();
  peer.hear();
  peer.connection.unreachable(ourSequence + 1);
  expect(peer.connection.state).toBe("syn-sent");
  peer.connection.unreachable(ourSequence);
  expect(peer.connection.takeEvents()).toMatchObject([
    { type: "closed", error: { code: "unreachable" } },
  ]);
  const connected = ScriptedPeer.connected();
  connected.connection.unreachable(ourSequence);
  expect(connected.connection.state).toBe("established");
});

it.each([
  ["everything", { windowScale: 7, hasSack: true, hasTimestamps: true }, 1208],
  ["no timestamps", { windowScale: 7, hasSack: true }, 1220],
  ["nothing", { hasSack: false }, 1220],
  ["a smaller segment", { mss: 500, hasTimestamps: true }, 488],
  ["a larger segment", { mss: 9000 }, 1220],
  ["a segment of nothing", { mss: 0 }, 64],
])("agrees with a peer that offers %s", (_, habits, length) => {
  const peer = ScriptedPeer.connected(habits);
  peer.connection.write(new Uint8Array(10_000), peer.now);
  expect(peer.hear()[0]).toMatchObject({ length });
});

it("scales windows only if both ends do", () => {
  const scaled = ScriptedPeer.connected({ windowScale: 7 });
  expect(scaled.say({ data: 1 })).toMatchObject([{ window: 262_016 }]);
  const plain = ScriptedPeer.connected();
  expect(plain.say({ data: 1 })).toMatchObject([{ window: 65_534 }]);
});
