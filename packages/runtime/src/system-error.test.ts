import { readFile } from "node:fs/promises";

import { expect, it } from "vitest";

import { systemErrorCode } from "./system-error.ts";

it("finds the code of a system error, and none in others", async () => {
  const missing: unknown = await readFile("/no/such/file").catch((error: unknown) => error);
  expect(systemErrorCode(missing)).toBe("ENOENT");
  const others = [new Error("broken"), Object.assign(new Error("exited"), { code: 1 }), "ENOENT"];
  expect(others.map(systemErrorCode)).toEqual([undefined, undefined, undefined]);
});
