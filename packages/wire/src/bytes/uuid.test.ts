import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeUuid, parseUuid } from "./uuid.ts";

const text = "00112233-4455-6677-8899-aabbccddeeff";

it("keeps the order of RFC 4122", () => {
  expect(encodeUuid(text)).toEqual(Uint8Array.from({ length: 16 }, (_, at) => at * 0x11));
  expect(parseUuid(encodeUuid(text))).toBe(text);
});

it("reads upper case and writes lower case", () => {
  expect(parseUuid(encodeUuid(text.toUpperCase()))).toBe(text);
});

it.each([0, 4, 15, 17, 32])("refuses %i bytes", (length) => {
  expect(() => parseUuid(new Uint8Array(length))).toThrow(
    expect.objectContaining({
      name: "BytesError",
      code: "malformed-uuid",
      message: `invalid UUID (got ${length} bytes)`,
    }),
  );
});

it.each(["", "00112233445566778899aabbccddeeff", `{${text}}`, `${text}0`, text.replace("f", "g")])(
  "refuses the text %j",
  (wrong) => {
    expect(() => encodeUuid(wrong)).toThrow(expect.objectContaining({ code: "malformed-uuid" }));
  },
);

it("reads back what it wrote", () => {
  fc.assert(
    fc.property(fc.uuid(), (uuid) => {
      expect(parseUuid(encodeUuid(uuid))).toBe(uuid);
    }),
  );
});
