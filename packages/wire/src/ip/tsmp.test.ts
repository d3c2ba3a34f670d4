import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { parseIpv6 } from "./ipv6.ts";
import { answerTsmpPing, encodeTsmpPing, parseTsmp } from "./tsmp.ts";

const client = "fd7a115ca1e04b1c9a3344556677889a";
const agent = "fd7a115ca1e04a7b8c9d0e1f2a3b4c5d";
const data = "0102030405060708";
const ping = `6000000000096340${client}${agent}70${data}`;
const pong = `600fffff000b6340${agent}${client}6f${data}0000`;

it("writes the ping of the specification", () => {
  const addresses = { source: parseHex(client), destination: parseHex(agent) };
  expect(encodeHex(encodeTsmpPing(addresses, parseHex(data)))).toBe(ping);
});

it("answers it as the specification does", () => {
  const answer = answerTsmpPing(parseHex(ping)) ?? new Uint8Array();
  expect(encodeHex(answer)).toBe(pong);
  expect(parseTsmp(answer, 40, answer.length)).toEqual({ type: "pong", data: parseHex(data) });
});

it("answers a ping that is followed by padding", () => {
  expect(answerTsmpPing(parseHex(`${ping}${"00".repeat(15)}`))).toEqual(parseHex(pong));
});

it("takes a pong without its port, and no message that is shorter", () => {
  const bytes = parseHex(`6f${data}`);
  expect(parseTsmp(bytes, 0, 9)).toEqual({ type: "pong", data: parseHex(data) });
  for (let end = 0; end < 9; end += 1) expect(parseTsmp(bytes, 0, end)).toBeUndefined();
});

it.each([
  ["a pong", pong],
  ["a reject", ping.replace(`70${data}`, `21${data}`)],
  ["a ping of another protocol", ping.replace("0963", "0911")],
  ["a ping cut short", ping.slice(0, -2)],
  ["no packet", ""],
])("does not answer %s", (_, hex) => {
  expect(answerTsmpPing(parseHex(hex))).toBeUndefined();
});

it("answers nothing but whole pings among random packets", () => {
  const anyPayload = fc.uint8Array({ maxLength: 20 });
  fc.assert(
    fc.property(anyPayload, fc.constantFrom(99, 17), (payload, protocol) => {
      const header = Uint8Array.of(0x60, 0, 0, 0, 0, payload.length, protocol, 64);
      const packet = Uint8Array.of(...header, ...parseHex(client + agent), ...payload);
      const isPing = protocol === 99 && payload.length >= 9 && payload[0] === 0x70;
      const answer = answerTsmpPing(packet);
      expect(answer !== undefined).toBe(isPing);
      expect(answer === undefined || parseIpv6(answer) !== undefined).toBe(true);
    }),
  );
});
