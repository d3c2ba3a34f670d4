import { describe, expect, it } from "vitest";

import { errorText } from "./error-text.ts";

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
