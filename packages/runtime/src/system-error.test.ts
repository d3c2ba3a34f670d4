import { readFile } from "node:fs/promises";

import { expect, it } from "vitest";

import { hasSystemErrorCode, systemErrorCode } from "./system-error.ts";

it("finds the code of a system error, and none in others", async () => {
  const missing: unknown = await readFile("/no/such/file").catch((error: unknown) => error);
  expect(systemErrorCode(missing)).toBe("ENOENT");
  const others = [new Error("broken"), Object.assign(new Error("exited"), { code: 1 }), "ENOENT"];
  expect(others.map(systemErrorCode)).toEqual([undefined, undefined, undefined]);
});

it("finds a code among the causes of an error", () => {
  const codes = new Set(["ECONNRESET"]);
  const reset = Object.assign(new Error("reset"), { code: "ECONNRESET" });
  expect(hasSystemErrorCode(new Error("failed", { cause: reset }), codes)).toBe(true);
  const others = [new Error("failed"), Object.assign(new Error("broken"), { code: 1 }), "reset"];
  expect(others.some((error) => hasSystemErrorCode(error, codes))).toBe(false);
});

it("ends at errors that are their own cause", () => {
  const error = new Error("failed");
  error.cause = error;
  expect(hasSystemErrorCode(error, new Set(["ECONNRESET"]))).toBe(false);
});
