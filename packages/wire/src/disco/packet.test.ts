import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { discoOverheadBytes, encodeDiscoPacket, parseDiscoPacket } from "./packet.ts";

const packet = {
  senderKey: new Uint8Array(32).fill(1),
  nonce: new Uint8Array(24).fill(2),
  box: new Uint8Array(16).fill(3),
};

it("writes the magic, the key, the nonce and the box", () => {
  const expected = `5453f09f92ac${"01".repeat(32)}${"02".repeat(24)}${"03".repeat(16)}`;
  expect(encodeHex(encodeDiscoPacket(packet))).toBe(expected);
});

it("reads back what it wrote, with a box of any length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 1300 }), (box) => {
      expect(parseDiscoPacket(encodeDiscoPacket({ ...packet, box }))).toEqual({ ...packet, box });
    }),
  );
});

it("takes nothing that is cut short or begins otherwise", () => {
  const bytes = encodeDiscoPacket(packet);
  for (let length = 0; length < discoOverheadBytes; length += 1) {
    expect(parseDiscoPacket(bytes.subarray(0, length))).toBeUndefined();
  }
  for (let at = 0; at < 6; at += 1) expect(parseDiscoPacket(bytes.with(at, 0))).toBeUndefined();
  expect(parseDiscoPacket(parseHex(`04000000${"00".repeat(100)}`))).toBeUndefined();
});
