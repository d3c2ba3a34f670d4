import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { addWords, finishChecksum } from "../bytes/internet-checksum.ts";
import { parseIcmpv6, writeIcmpv6 } from "./icmpv6.ts";
import type { Icmpv6Message } from "./icmpv6.ts";

const uint16 = fc.nat(0xffff);
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const code = fc.nat(255);
const body = fc.uint8Array({ maxLength: 60 });

const anyMessage: fc.Arbitrary<Icmpv6Message> = fc.oneof(
  fc.record({
    type: fc.constantFrom("echo-request" as const, "echo-reply" as const),
    identifier: uint16,
    sequence: uint16,
    data: body,
  }),
  fc.record({ type: fc.constant("unreachable" as const), code, cause: body }),
  fc.record({ type: fc.constant("packet-too-big" as const), mtu: uint32, cause: body }),
  fc.record({ type: fc.constant("time-exceeded" as const), code, cause: body }),
  fc.record({ type: fc.constant("unknown-next-header" as const), pointer: uint32, cause: body }),
);

it("reads back what it wrote, with a checksum that holds", () => {
  fc.assert(
    fc.property(anyMessage, uint32, (message, addressSum) => {
      const bytes = new Uint8Array(100);
      const length = writeIcmpv6(bytes, 5, message, addressSum);
      expect(parseIcmpv6(bytes, 5, 5 + length)).toEqual(message);
      expect(finishChecksum(addWords(addressSum + length, bytes, 5, 5 + length))).toBe(0);
    }),
  );
});

it("writes an echo request", () => {
  const bytes = new Uint8Array(10);
  const message = {
    type: "echo-request" as const,
    identifier: 0x1234,
    sequence: 1,
    data: Uint8Array.of(0xab, 0xcd),
  };
  writeIcmpv6(bytes, 0, message, 0);
  expect(encodeHex(bytes)).toBe("8000c1f212340001abcd");
});

it.each([
  ["seven bytes", "80000000123400"],
  ["an unknown type", "8700000000000000"],
  ["an echo with a code", "8001000012340001"],
  ["a malformed header", "0400000000000000"],
])("takes nothing from %s", (_, hex) => {
  const bytes = parseHex(hex);
  expect(parseIcmpv6(bytes, 0, bytes.length)).toBeUndefined();
});
