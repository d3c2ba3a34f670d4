import { encodeHex } from "@slipway/wire/bytes/hex";
import { expect, it } from "vitest";

import { addressBytes } from "./stun-listener.ts";

it.each([
  ["192.0.2.1", "c0000201"],
  ["::ffff:192.0.2.1", "c0000201"],
  ["::1", "00000000000000000000000000000001"],
  ["2001:db8::2:1", "20010db8000000000000000000020001"],
  ["fe80::1%eth0", "fe800000000000000000000000000001"],
  ["::", "00000000000000000000000000000000"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
])("reads %s", (text, hex) => {
  expect(encodeHex(addressBytes(text) ?? new Uint8Array())).toBe(hex);
});

it("does not read what is no address", () => {
  for (const text of ["", "host", "1.2.3", "1::2::3"]) expect(addressBytes(text)).toBeUndefined();
});
