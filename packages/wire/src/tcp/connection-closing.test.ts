import { expect, it } from "vitest";

import { ScriptedPeer } from "../../tests/support/scripted-peer.ts";
import type { TcpState } from "./state.ts";

const bare = { flags: "", length: 0 };

/** Brings a connection into each state that follows the handshake. */
const ways: Readonly<Record<string, (peer: ScriptedPeer) => void>> = {
  established: () => undefined,
  "fin-wait-1": (peer) => finish(peer),
  "fin-wait-2": (peer) => {
    finish(peer);
    peer.say({});
  },
  "close-wait": (peer) => void peer.say({ flags: "F" }),
  closing: (peer) => {
    finish(peer);
    peer.say({ flags: "F", ack: 1 });
  },
  "last-ack": (peer) => {
    peer.say({ flags: "F" });
    finish(peer);
  },
  "time-wait": (peer) => {
    finish(peer);
    peer.say({ flags: "F" });
  },
};

function finish(peer: ScriptedPeer): void {
  peer.connection.finish(peer.now);
  peer.hear();
}

function inState(state: string): ScriptedPeer {
  const peer = ScriptedPeer.connected();
  ways[state]?.(peer);
  expect(peer.connection.state).toBe(state);
  peer.connection.takeEvents();
  return peer;
}

const states = Object.keys(ways);

it("finishes first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT for a minute", () => {
  const peer = ScriptedPeer.connected();
  peer.connection.write(Uint8Array.of(1, 2, 3), peer.now);
  peer.connection.finish(peer.now);
  expect(peer.hear()).toMatchObject([{ at: 1, length: 3, flags: "FP" }]);
  expect(peer.connection.state).toBe("fin-wait-1");
  peer.say({ ack: 5 });
  expect(peer.connection.state).toBe("fin-wait-2");
  expect(peer.say({ data: 10 })).toMatchObject([{ ...bare, ack: 11 }]);
  expect(peer.say({ flags: "F" })).toMatchObject([{ ...bare, at: 5, ack: 12 }]);
  expect(peer.connection.state).toBe("time-wait");
  expect(peer.connection.takeEvents().map(({ type }) => type)).toEqual([
    "readable",
    "finished",
    "closed",
  ]);
  peer.wait(59_999);
  expect(peer.connection.state).toBe("time-wait");
  peer.wait(1);
  expect(peer.connection.state).toBe("closed");
  expect(peer.connection.takeEvents()).toEqual([]);
});

it("finishes second: CLOSE-WAIT, LAST-ACK", () => {
  const peer = ScriptedPeer.connected();
  expect(peer.say({ flags: "F" })).toMatchObject([{ ...bare, ack: 2 }]);
  expect(peer.connection.state).toBe("close-wait");
  peer.connection.write(new Uint8Array(10), peer.now);
  expect(peer.hear()).toMatchObject([{ length: 10 }]);
  peer.connection.finish(peer.now);
  expect(peer.hear()).toMatchObject([{ flags: "F", at: 11 }]);
  expect(peer.connection.state).toBe("last-ack");
  peer.say({ ack: 12 });
  expect(peer.connection.state).toBe("closed");
  expect(peer.connection.takeEvents()).toEqual([
    { type: "finished" },
    { type: "closed", error: undefined },
  ]);
});

it("finishes at the same time: CLOSING", () => {
  const peer = ScriptedPeer.connected();
  finish(peer);
  expect(peer.say({ flags: "F", ack: 1 })).toMatchObject([{ ...bare, ack: 2 }]);
  expect(peer.connection.state).toBe("closing");
  peer.say({ ack: 2 });
  expect(peer.connection.state).toBe("time-wait");
});

it("takes a FIN that comes before the data in front of it only then", () => {
  const peer = ScriptedPeer.connected();
  expect(peer.say({ at: 11, data: 10, flags: "F" })).toMatchObject([{ ack: 1, sacks: [11, 21] }]);
  expect(peer.connection.state).toBe("established");
  expect(peer.say({ at: 1, data: 10 })).toMatchObject([{ ack: 22 }]);
  expect(peer.connection.state).toBe("close-wait");
  expect(peer.connection.readable).toBe(20);
});

it("repeats a FIN that is not acknowledged", () => {
  const peer = ScriptedPeer.connected();
  finish(peer);
  expect(peer.wait(2000).every(({ flags, at }) => flags === "F" && at === 1)).toBe(true);
});

it("acknowledges a FIN again in TIME-WAIT, which then lasts anew", () => {
  const peer = inState("time-wait");
  peer.wait(50_000);
  expect(peer.say({ at: 1, flags: "F" })).toMatchObject([{ ...bare, at: 2, ack: 2 }]);
  peer.wait(59_999);
  expect(peer.connection.state).toBe("time-wait");
  peer.wait(1);
  expect(peer.connection.state).toBe("closed");
});

it("gives way in TIME-WAIT to the SYN of a new connection, not to an old one", () => {
  const peer = inState("time-wait");
  const { connection } = peer;
  const syn = (sequence: number) => ({
    sourcePort: 2,
    destinationPort: 1,
    sequence,
    acknowledgment: 0,
    flags: 2,
    window: 0,
    options: { timestampEcho: 0, isSackPermitted: false, sackEdges: [] },
    bytes: new Uint8Array(0),
    payloadStart: 0,
    payloadEnd: 0,
  });
  const without = (sequence: number) => {
    const segment = syn(sequence);
    return {
      ...segment,
      options: {
        ...segment.options,
        maxSegmentBytes: undefined,
        windowScale: undefined,
        timestamp: undefined,
      },
    };
  };
  expect(connection.yieldsTo(without(0x7fff_ff00 + 1000))).toBe(true);
  expect(connection.yieldsTo(without(0x7fff_ff00))).toBe(false);
});

it.each(states)("is reset in %s by a RST where it is expected, and told so", (state) => {
  const peer = inState(state);
  const { readable } = peer.connection;
  expect(peer.say({ flags: "R", ack: undefined })).toEqual([]);
  const ended: TcpState = state === "time-wait" ? "time-wait" : "closed";
  expect(peer.connection.state).toBe(ended);
  const events = state === "time-wait" ? [] : [{ type: "closed", error: { code: "reset" } }];
  expect(peer.connection.takeEvents()).toMatchObject(events);
  expect(peer.connection.readable).toBe(readable);
  expect(peer.wait(200_000)).toEqual([]);
});

it.each(states)("challenges a RST elsewhere in the window in %s (RFC 5961 §3)", (state) => {
  const peer = inState(state);
  const answers = peer.say({ flags: "R", ack: undefined, at: 100 });
  expect(answers).toMatchObject([bare]);
  expect(peer.connection.state).toBe(state);
});

it.each(states)("challenges a SYN in %s (RFC 5961 §4)", (state) => {
  const peer = inState(state);
  expect(peer.saySyn({ at: 60 })).toMatchObject([bare]);
  expect(peer.connection.state).toBe(state);
});

it.each(states)("ends in %s when it is aborted", (state) => {
  const peer = inState(state);
  peer.connection.abort();
  expect(peer.hear()).toMatchObject(state === "time-wait" ? [] : [{ flags: "R" }]);
  expect(peer.connection.state).toBe("closed");
  expect(peer.connection.nextWake()).toBeUndefined();
});

it("says nothing when it is aborted after its end", () => {
  const peer = inState("last-ack");
  peer.say({ ack: 2 });
  expect(peer.connection.state).toBe("closed");
  peer.connection.abort();
  expect(peer.hear()).toEqual([]);
});

it("closes with a FIN, and answers data that comes then with a RST", () => {
  const peer = ScriptedPeer.connected();
  peer.connection.close(peer.now);
  expect(peer.hear()).toMatchObject([{ flags: "F" }]);
  expect(peer.say({ data: 1 })).toMatchObject([{ flags: "R", at: 2 }]);
  expect(peer.connection.takeEvents()).toMatchObject([
    { type: "closed", error: { code: "aborted" } },
  ]);
});

it("closes with a RST if data is left unread", () => {
  const peer = ScriptedPeer.connected();
  peer.say({ data: 1 });
  peer.connection.close(peer.now);
  expect(peer.hear()).toMatchObject([{ flags: "R" }]);
});

it("sends what was written before it closes", () => {
  const peer = ScriptedPeer.connected();
  peer.connection.write(new Uint8Array(5000), peer.now);
  peer.connection.close(peer.now);
  const heard = peer.hear();
  expect(heard.reduce((bytes, { length }) => bytes + length, 0)).toBe(5000);
  expect(heard.at(-1)).toMatchObject({ flags: "FP" });
});

it("waits a minute for the FIN of a peer once it is closed", () => {
  const peer = ScriptedPeer.connected();
  peer.connection.close(peer.now);
  peer.hear();
  peer.say({ ack: 2 });
  expect(peer.connection.state).toBe("fin-wait-2");
  expect(peer.wait(60_000)).toEqual([]);
  expect(peer.connection.state).toBe("closed");
  expect(peer.connection.takeEvents()).toEqual([{ type: "closed", error: undefined }]);
});

it("does not wait longer than a minute for a peer that takes nothing once it is closed", () => {
  const peer = ScriptedPeer.connected();
  peer.connection.write(new Uint8Array(5000), peer.now);
  peer.connection.close(peer.now);
  for (let second = 0; second < 61; second += 1) {
    peer.wait(1000);
    peer.say({ ack: 1, window: 0 });
  }
  expect(peer.connection.state).toBe("closed");
});

it("may go on reading for as long as it likes after it has finished", () => {
  const peer = inState("fin-wait-2");
  expect(peer.wait(3_600_000)).toEqual([]);
  expect(peer.say({ data: 5 })).toMatchObject([{ ...bare, ack: 6 }]);
  expect(peer.connection.readable).toBe(5);
});
