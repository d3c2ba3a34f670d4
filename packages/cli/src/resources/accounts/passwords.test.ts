import { expect, it } from "vitest";

import { generatePassword } from "./passwords.ts";

it("generates a new password each time, of letters and digits", () => {
  const passwords = Array.from({ length: 100 }, generatePassword);
  expect(new Set(passwords).size).toBe(100);
  expect(passwords.filter((password) => !/^[A-Za-z2-9]{24}$/.test(password))).toEqual([]);
});
