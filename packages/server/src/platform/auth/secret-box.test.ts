import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SecretBox, SecretError } from "./secret-box.ts";

const box = new SecretBox(["the first key"]);

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof SecretError) return error.code;
    throw error;
  }
  return undefined;
}

describe("SecretBox", () => {
  it("opens what it sealed, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (secret) => {
        expect(box.open(box.seal(secret))).toBe(secret);
      }),
    );
  });

  it("never seals alike", () => {
    expect(box.seal("secret").equals(box.seal("secret"))).toBe(false);
    expect(box.seal("secret").includes("secret")).toBe(false);
  });

  it("tells by the first bytes what the newest key sealed", () => {
    const { newestPrefix } = box;
    const old = new SecretBox(["another key"]).seal("secret");
    expect(box.seal("secret").subarray(0, newestPrefix.length).equals(newestPrefix)).toBe(true);
    expect(old.subarray(0, newestPrefix.length).equals(newestPrefix)).toBe(false);
  });

  it("opens with the keys before, and seals with the newest", () => {
    const sealed = box.seal("secret");
    const rotated = new SecretBox(["the second key", "the first key"]);
    expect(rotated.open(sealed)).toBe("secret");
    const later = rotated.seal("secret");
    expect(new SecretBox(["the second key"]).open(later)).toBe("secret");
    expect(codeOf(() => box.open(later))).toBe("unknown-key");
  });

  it("names the key that is missing by its id only", () => {
    const sealed = box.seal("secret");
    const id = sealed.subarray(1, 5).toString("hex");
    expect(() => new SecretBox(["another key"]).open(sealed)).toThrow(
      `secret was sealed with key ${id}, which is not configured`,
    );
  });

  it("notices every changed bit", () => {
    const sealed = box.seal("secret");
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const code = codeOf(() => box.open(changed));
      expect(code).toBe(bit < 8 ? "malformed" : bit < 40 ? "unknown-key" : "tampered");
    }
  });

  it("notices every truncation", () => {
    const sealed = box.seal("secret");
    for (let length = 0; length < sealed.length; length += 1) {
      const code = codeOf(() => box.open(sealed.subarray(0, length)));
      expect(["malformed", "tampered"]).toContain(code);
    }
  });
});
