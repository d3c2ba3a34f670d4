import { expect, it } from "vitest";

import { generatePassword } from "./new-password.ts";

it("generates different passwords of 20 letters and digits", () => {
  const passwords = new Set(Array.from({ length: 50 }, () => generatePassword()));
  expect(passwords.size).toBe(50);
  for (const password of passwords) expect(password).toMatch(/^[A-Za-z2-9]{20}$/);
});

it("leaves out bytes that would make characters likelier than others", () => {
  let next = 255;
  const fill = (bytes: Uint8Array<ArrayBuffer>) =>
    bytes.map(() => (next = next === 0 ? 255 : next - 1));
  expect(generatePassword(fill)).toMatch(/^9/);
});
