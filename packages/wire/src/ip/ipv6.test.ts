import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import {
  IpProtocol,
  ipv6HeaderBytes,
  parseIpv6,
  parseQuotedIpv6,
  writeIpv6Header,
} from "./ipv6.ts";

/** The ping of docs/protocol/tailnet.md §7.2. */
const ping = parseHex(
  "6000000000096340fd7a115ca1e04b1c9a3344556677889afd7a115ca1e04a7b8c9d0e1f2a3b4c5d700102030405060708",
);
const source = ping.subarray(8, 24);
const destination = ping.subarray(24, 40);

it("reads a packet", () => {
  expect(parseIpv6(ping)).toEqual({
    source,
    destination,
    nextHeader: IpProtocol.tsmp,
    hopLimit: 64,
    flowLabel: 0,
    payloadStart: 40,
    payloadEnd: 49,
  });
});

it("ignores the padding behind a packet", () => {
  const padded = new Uint8Array(64);
  padded.set(ping);
  expect(parseIpv6(padded)?.payloadEnd).toBe(49);
});

it("writes a header", () => {
  const bytes = new Uint8Array(ipv6HeaderBytes + 2);
  const header = { source, destination, nextHeader: IpProtocol.tsmp };
  writeIpv6Header(bytes, 2, header, 9);
  expect(encodeHex(bytes.subarray(2))).toBe(encodeHex(ping.subarray(0, ipv6HeaderBytes)));
});

it("reads back what it wrote", () => {
  const anyHeader = fc.record({
    source: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    destination: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    nextHeader: fc.nat(255),
    hopLimit: fc.nat(255),
    flowLabel: fc.nat(0xf_ffff),
  });
  fc.assert(
    fc.property(anyHeader, fc.nat(1240), (header, payloadBytes) => {
      const bytes = new Uint8Array(ipv6HeaderBytes + payloadBytes);
      writeIpv6Header(bytes, 0, header, payloadBytes);
      expect(parseIpv6(bytes)).toEqual({
        ...header,
        payloadStart: ipv6HeaderBytes,
        payloadEnd: bytes.length,
      });
    }),
  );
});

it("refuses a packet that is cut anywhere", () => {
  for (let length = 0; length < ping.length; length += 1) {
    expect(parseIpv6(ping.subarray(0, length))).toBeUndefined();
  }
});

it("reads what an error quotes of a packet", () => {
  expect(parseQuotedIpv6(ping.subarray(0, 44))).toMatchObject({ source, payloadEnd: 44 });
  expect(parseQuotedIpv6(ping.subarray(0, 39))).toBeUndefined();
});

it("refuses IPv4", () => {
  const bytes = ping.slice();
  bytes[0] = 0x45;
  expect(parseIpv6(bytes)).toBeUndefined();
});
