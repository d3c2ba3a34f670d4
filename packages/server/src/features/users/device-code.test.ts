import { expect, it } from "vitest";

import { SecretBox } from "../../platform/auth/secret-box.ts";
import { DeviceCodes } from "./device-code.ts";

const codes = new DeviceCodes(new SecretBox(["first"]));

it("reads its own codes, however they are entered", () => {
  const code = codes.create();
  expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{5}-[BCDFGHJKLMNPQRSTVWXZ]{5}$/);
  for (const entered of [code, code.toLowerCase(), ` ${code.replace("-", " ")} `]) {
    expect(codes.read(entered)).toBe(code);
  }
  const rotated = new DeviceCodes(new SecretBox(["second", "first"]));
  expect(rotated.read(code)).toBe(code);
});

it("finds most typing errors, and codes of other servers", () => {
  const wrong = Array.from({ length: 200 }, () => codes.create().replace(/^./, "W"));
  const own = wrong.filter((code) => codes.read(code) !== undefined);
  // One in 20 has this letter anyway, and one of 400 others passes.
  expect(own.length).toBeLessThan(50);
  const other = new DeviceCodes(new SecretBox(["other"]));
  const read = Array.from({ length: 200 }, () => codes.read(other.create()));
  expect(read.filter((code) => code !== undefined).length).toBeLessThan(10);
});

it.each(["", "BCDFG", "BCDFG-HJKLMN", "AAAAA-AAAAA", "💥".repeat(5), "ſſſſſ-ſſſſſ"])(
  "refuses %j",
  (text) => {
    expect(codes.read(text)).toBeUndefined();
  },
);
