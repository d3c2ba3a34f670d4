import { expect, it } from "vitest";

import { limitResult } from "./metadata-rpc.ts";

it("trims value and error", () => {
  expect(limitResult("1\n", "\t exit 1 \n")).toEqual({ value: "1", error: "exit 1" });
});

it("keeps a value of just the limit", () => {
  expect(limitResult("a".repeat(2048), "")).toEqual({ value: "a".repeat(2048), error: "" });
});

it("cuts a long value between characters and says so", () => {
  const { value, error } = limitResult(`${"a".repeat(2046)}😀`, "ignored");
  expect(value).toBe("a".repeat(2046));
  expect(error).toBe("value of 2050 bytes exceeds the limit of 2048 bytes");
});

it("puts a note in the place of a long error", () => {
  expect(limitResult("1", "é".repeat(1025))).toEqual({
    value: "1",
    error: "error of 2050 bytes exceeds the limit of 2048 bytes",
  });
});

it("leaves out what PostgreSQL does not keep", () => {
  expect(limitResult("a\0b", "c\0")).toEqual({ value: "ab", error: "c" });
});
