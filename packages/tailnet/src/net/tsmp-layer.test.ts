import { createFakeClock } from "@slipway/testkit";
import { parseIpv6 } from "@slipway/wire/ip/ipv6";
import { encodeTsmpPing, parseTsmp } from "@slipway/wire/ip/tsmp";
import { expect, it } from "vitest";

import { TsmpLayer } from "./tsmp-layer.ts";

const ours = new Uint8Array(16).fill(1);
const theirs = new Uint8Array(16).fill(2);
const never = new AbortController().signal;

function open() {
  const clock = createFakeClock();
  const sent: Uint8Array[] = [];
  let count = 0;
  const layer = new TsmpLayer({
    clock,
    random: () => 0,
    randomBytes: (length) => new Uint8Array(length).fill((count += 1)),
    send: (packets) => sent.push(...packets),
  });
  return { clock, sent, layer };
}

function messageOf(packet: Uint8Array | undefined) {
  const parsed = packet && parseIpv6(packet);
  if (packet === undefined || parsed === undefined) throw new Error("no packet");
  return {
    ...parseTsmp(packet, parsed.payloadStart, parsed.payloadEnd),
    source: parsed.source,
    destination: parsed.destination,
  };
}

it("answers pings, and leaves other protocols alone", () => {
  const { layer, sent } = open();
  const ping = encodeTsmpPing({ source: theirs, destination: ours }, new Uint8Array(8).fill(7));
  expect(layer.receive(ping)).toBe(true);
  expect(sent.map(messageOf)).toEqual([
    { type: "pong", data: new Uint8Array(8).fill(7), source: ours, destination: theirs },
  ]);
  expect(layer.receive(ping.with(6, 6))).toBe(false);
  expect(layer.receive(ping.subarray(0, 41))).toBe(true);
  expect(sent).toHaveLength(1);
});

it("pings ever less often until a peer answers", async () => {
  const { clock, layer, sent } = open();
  const reaching = layer.reach(ours, theirs, never);
  expect(sent).toHaveLength(1);
  await clock.advance(50);
  expect(sent).toHaveLength(2);
  await clock.advance(74);
  expect(sent).toHaveLength(2);
  await clock.advance(1);
  expect(sent).toHaveLength(3);
  const peer = open();
  peer.layer.receive(sent[0] ?? new Uint8Array(0));
  layer.receive(peer.sent[0] ?? new Uint8Array(0));
  await reaching;
  await clock.advance(60_000);
  expect(sent).toHaveLength(3);
});

it("takes no answer to another ping, and gives up with its signal", async () => {
  const { clock, layer, sent } = open();
  const stop = new AbortController();
  const reaching = layer.reach(ours, theirs, stop.signal);
  const stranger = open();
  const other = encodeTsmpPing({ source: ours, destination: theirs }, new Uint8Array(8).fill(9));
  stranger.layer.receive(other);
  layer.receive(stranger.sent[0] ?? new Uint8Array(0));
  await clock.advance(10);
  stop.abort(new Error("enough"));
  await expect(reaching).rejects.toThrow("enough");
  const before = sent.length;
  await clock.advance(60_000);
  expect(sent).toHaveLength(before);
});
