import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { DrpcError } from "./errors.ts";
import { encodeMetadata, parseMetadata } from "./metadata.ts";

it("writes k = v1 as the specification does", () => {
  const metadata = new Map([["k", "v1"]]);
  expect(encodeHex(encodeMetadata(metadata))).toBe("0a070a016b12027631");
  expect(parseMetadata(parseHex("0a070a016b12027631"))).toEqual(metadata);
});

it("takes an absent key or value for an empty one", () => {
  expect(parseMetadata(parseHex("0a030a016b"))).toEqual(new Map([["k", ""]]));
  expect(parseMetadata(parseHex("0a00"))).toEqual(new Map([["", ""]]));
});

it.each(["12", "1200", "0a", "0a05", "0a020a05", "0a021a00", "0a030a01ff", "0aff"])(
  "refuses %s",
  (hex) => {
    expect(() => parseMetadata(parseHex(hex))).toThrow(
      expect.objectContaining({ name: "DrpcError", code: "malformed-metadata" }),
    );
  },
);

it("refuses more than 16 KiB", () => {
  const metadata = (length: number) => encodeMetadata(new Map([["k", "v".repeat(length)]]));
  expect(parseMetadata(metadata(16_000)).get("k")).toHaveLength(16_000);
  expect(() => parseMetadata(metadata(16 * 1024))).toThrow("at most 16384 allowed");
});

it("reads back what it wrote", () => {
  const entries = fc.array(
    fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ maxLength: 200 })),
  );
  fc.assert(
    fc.property(entries, (list) => {
      const metadata = new Map(list);
      expect(parseMetadata(encodeMetadata(metadata))).toEqual(metadata);
    }),
  );
});

it("raises only its own error for random bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      try {
        parseMetadata(bytes);
        return true;
      } catch (error) {
        return error instanceof DrpcError;
      }
    }),
    { numRuns: 1000 },
  );
});
