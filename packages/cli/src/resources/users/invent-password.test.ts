import { expect, test } from "vitest";

import { inventPassword } from "./invent-password.ts";

test("makes up another password each time, of letters and digits", () => {
  const passwords = Array.from({ length: 100 }, inventPassword);
  expect(new Set(passwords).size).toBe(100);
  expect(passwords.filter((password) => !/^[A-Za-z2-9]{24}$/.test(password))).toEqual([]);
});
