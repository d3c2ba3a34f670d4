import { expect, it } from "vitest";

import { readSharedPort } from "./port-argument.ts";

it("reads ports that can be shared", () => {
  expect(["9", "8080", "65535"].map(readSharedPort)).toEqual([9, 8080, 65_535]);
});

it("refuses other texts, and says what is wanted", () => {
  for (const text of ["8", "0", "65536", "99999999", "-1", "80.5", "http", "", "8080 ", "0x50"]) {
    expect(() => readSharedPort(text)).toThrow(
      `"${text}" is not a port that can be shared: wanted a number from 9 to 65535`,
    );
  }
});
