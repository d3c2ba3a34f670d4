import { readFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import { errorText, hasSystemErrorCode, systemErrorCode } from "./errors.ts";

describe("errorText", () => {
  it("joins the messages of an error and its causes", () => {
    const error = new Error("cannot start", {
      cause: new Error("no database", { cause: "ECONNREFUSED" }),
    });
    expect(errorText(error)).toBe("cannot start: no database: ECONNREFUSED");
  });

  it("leaves out an empty message and one that was said before", () => {
    const cause = new Error("no database");
    expect(errorText(new Error("cannot start: no database", { cause }))).toBe(
      "cannot start: no database",
    );
    expect(errorText(new Error("", { cause }))).toBe("no database");
  });

  it("looks into the errors of a failed connect", () => {
    const error = new AggregateError([new Error("connect ECONNREFUSED ::1:1"), new Error("other")]);
    expect(errorText(new TypeError("fetch failed", { cause: error }))).toBe(
      "fetch failed: connect ECONNREFUSED ::1:1",
    );
  });

  it("says something of whatever was thrown", () => {
    expect(["text", 7, null, undefined].map(errorText)).toEqual(["text", "7", "null", ""]);
  });

  it("ends with causes that go round in a circle", () => {
    const error = new Error("a");
    error.cause = error;
    expect(errorText(error)).toBe("a");
  });
});

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
