import fc from "fast-check";
import { expect, it } from "vitest";

import { withEntry } from "./authority.ts";

const protocol = "MIT-MAGIC-COOKIE-1";
const entry = { host: "dev", display: 10, protocol, cookie: Buffer.from("00ff", "hex") };
const encoded = Buffer.from(
  `01000003646576000231300012${Buffer.from(protocol).toString("hex")}000200ff`,
  "hex",
);

it("adds an entry as the format has it", () => {
  expect(withEntry(Buffer.alloc(0), entry)).toEqual(encoded);
});

it("replaces the entry of the same display, and keeps all others", () => {
  const other = withEntry(Buffer.alloc(0), { ...entry, display: 11 }) ?? Buffer.alloc(0);
  const newer = { ...entry, cookie: Buffer.from("abcdef", "hex") };
  const file = withEntry(Buffer.concat([encoded, other, encoded]), newer);
  expect(file).toEqual(Buffer.concat([other, withEntry(Buffer.alloc(0), newer) ?? encoded]));
});

it("takes no file that is cut", () => {
  for (let length = 1; length < encoded.length; length += 1) {
    expect(withEntry(encoded.subarray(0, length), entry)).toBeUndefined();
  }
});

it("takes any bytes for a file or for none", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const file = withEntry(Buffer.from(bytes), entry);
      expect(file === undefined || file.subarray(-encoded.length).equals(encoded)).toBe(true);
    }),
  );
});
