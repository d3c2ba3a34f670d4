import { describe, expect, it } from "vitest";

import { readUuid, requireUuid } from "./uuid.ts";

const uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
const bare = uuid.replaceAll("-", "");

describe("readUuid", () => {
  it.each([uuid, bare, `{${uuid}}`, `urn:uuid:${uuid}`, uuid.toUpperCase(), bare.toUpperCase()])(
    "reads %s",
    (text) => {
      expect(readUuid(text)).toBe(uuid);
    },
  );

  it.each(["", "abc", uuid.slice(1), `${uuid}0`, uuid.replace("0", "g"), `{${uuid}`, `${uuid}\n`])(
    "knows that %j is none",
    (text) => {
      expect(readUuid(text)).toBeUndefined();
    },
  );
});

describe("requireUuid", () => {
  it("says what is wrong as the original does", () => {
    expect(requireUuid(bare)).toBe(uuid);
    expect(() => requireUuid("abc")).toThrow(
      expect.objectContaining({
        code: "invalid",
        message: 'Invalid UUID "abc".',
        detail: "invalid UUID length: 3",
      }),
    );
    expect(() => requireUuid(uuid.replace("0", "g"))).toThrow(
      expect.objectContaining({ detail: "invalid UUID format" }),
    );
  });
});
