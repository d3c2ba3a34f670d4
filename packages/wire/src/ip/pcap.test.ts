import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { encodePcapHeader, encodePcapPacket, snapBytes } from "./pcap.ts";

it("begins a file of raw IP packets", () => {
  expect(encodeHex(encodePcapHeader())).toBe("a1b2c3d40002000400000000000000000000008000000065");
});

it("encodes a packet with its time in microseconds", () => {
  const packet = parseHex("6000");
  expect(encodeHex(encodePcapPacket(packet, 1_700_000_000_123.5))).toBe(
    "6553f1000001e26c00000002000000026000",
  );
});

it("keeps the headers of a long packet, and notes its length", () => {
  const packet = new Uint8Array(1_280).fill(7);
  const entry = encodePcapPacket(packet, 0);
  expect(entry).toHaveLength(16 + snapBytes);
  expect(encodeHex(entry.subarray(8, 16))).toBe("0000008000000500");
  expect(entry.subarray(16)).toEqual(packet.subarray(0, snapBytes));
});
