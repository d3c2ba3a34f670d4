import fc from "fast-check";
import { expect, it } from "vitest";

import { parseHex } from "../bytes/hex.ts";
import { encodeDerpFrame, parseDerpFrame } from "./frame.ts";
import {
  forwardSentPacket,
  isDiscoPacket,
  receiveForwardedPacket,
  receiveSentPacket,
} from "./relayed-packet.ts";

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const packet = fc.uint8Array({ maxLength: 200 });
const around = fc.uint8Array({ maxLength: 9 });

it("changes a sent packet to a received one, and nothing around it", () => {
  fc.assert(
    fc.property(key, key, packet, around, (source, destination, data, other) => {
      const frame = encodeDerpFrame({ type: "send-packet", destination, packet: data });
      const bytes = Uint8Array.from([...other, ...frame, ...other]);
      receiveSentPacket(bytes, other.length, source);
      const received = encodeDerpFrame({ type: "recv-packet", source, packet: data });
      expect(bytes).toEqual(Uint8Array.from([...other, ...received, ...other]));
    }),
  );
});

it("forwards a sent packet, and changes it to a received one where it arrives", () => {
  fc.assert(
    fc.property(key, key, packet, around, (source, destination, data, other) => {
      const sent = encodeDerpFrame({ type: "send-packet", destination, packet: data });
      const bytes = Uint8Array.from([...other, ...sent]);
      const span = { start: other.length, end: bytes.length };
      const forwarded = forwardSentPacket(bytes, span, { source, destination });
      expect(parseDerpFrame(forwarded, 0, forwarded.length)).toEqual({
        type: "forward-packet",
        source,
        destination,
        packet: data,
      });
      const arrived = Uint8Array.from([...other, ...forwarded, ...other]);
      const start = receiveForwardedPacket(arrived, other.length);
      const end = arrived.length - other.length;
      expect(parseDerpFrame(arrived, start, end)).toEqual({
        type: "recv-packet",
        source,
        packet: data,
      });
      expect(arrived.subarray(end)).toEqual(other);
    }),
  );
});

it("tells disco messages by their beginning and their length", () => {
  const disco = Uint8Array.from([...parseHex("5453f09f92ac"), ...new Uint8Array(56)]);
  expect(isDiscoPacket(disco, 0, 62)).toBe(true);
  expect(isDiscoPacket(disco, 0, 61)).toBe(false);
  expect(isDiscoPacket(Uint8Array.from([0, ...disco]), 0, 63)).toBe(false);
  expect(isDiscoPacket(Uint8Array.from([0, ...disco]), 1, 63)).toBe(true);
});
