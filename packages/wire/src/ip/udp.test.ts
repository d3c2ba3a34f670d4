import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { addWords, finishChecksum } from "../bytes/internet-checksum.ts";
import { IpProtocol, pseudoHeaderSum } from "./ipv6.ts";
import { parseUdp, writeUdp } from "./udp.ts";

const source = parseHex("fd7a115ca1e04b1c9a3344556677889a");
const destination = parseHex("fd7a115ca1e04a7b8c9d0e1f2a3b4c5d");
const addressSum = pseudoHeaderSum(source, destination, IpProtocol.udp);

const anyPort = fc.nat(0xffff);
const anyPayload = fc.uint8Array({ maxLength: 100 });

it("reads back what it wrote, with a checksum that holds", () => {
  fc.assert(
    fc.property(anyPort, anyPort, anyPayload, (sourcePort, destinationPort, payload) => {
      const bytes = new Uint8Array(200);
      const datagram = { sourcePort, destinationPort, payload };
      const length = writeUdp(bytes, 3, datagram, addressSum);
      expect(parseUdp(bytes, 3, 3 + length)).toEqual(datagram);
      expect(finishChecksum(addWords(addressSum + length, bytes, 3, 3 + length))).toBe(0);
    }),
  );
});

it("adds up the pseudo-header of either direction to the same", () => {
  expect(pseudoHeaderSum(destination, source, IpProtocol.udp)).toBe(addressSum);
});

it("writes a checksum of 0 as all ones", () => {
  const bytes = new Uint8Array(10);
  const datagram = { sourcePort: 0, destinationPort: 0, payload: Uint8Array.of(0xff, 0xeb) };
  writeUdp(bytes, 0, datagram, 0);
  expect(encodeHex(bytes)).toBe("00000000000affffffeb");
});

it("ignores what follows the length that the header says", () => {
  const bytes = parseHex("00010002000900010901");
  expect(parseUdp(bytes, 0, bytes.length)?.payload).toEqual(Uint8Array.of(9));
});

it.each([
  ["seven bytes", "00010002000800"],
  ["a length below the header's", "0001000200070001"],
  ["a length beyond the end", "0001000200090001"],
  ["no checksum", "0001000200080000"],
])("refuses %s", (_, hex) => {
  const bytes = parseHex(hex);
  expect(parseUdp(bytes, 0, bytes.length)).toBeUndefined();
});
