import { expect, it } from "vitest";

import { Invalid } from "../errors/errors.ts";
import { readLogRange } from "./log-range.ts";

it("takes absent and empty for the whole log", () => {
  expect(readLogRange({})).toEqual({ after: 0, before: undefined });
  expect(readLogRange({ after: "", before: "" })).toEqual({ after: 0, before: undefined });
});

it("reads both ends", () => {
  expect(readLogRange({ after: "3", before: "9" })).toEqual({ after: 3, before: 9 });
});

it.each(["x", "-1", "1.5", "1e3", "99999999999999999999"])("refuses %s by name", (text) => {
  expect(() => readLogRange({ before: text })).toThrow(
    expect.objectContaining({
      code: "invalid",
      message: 'Query param "before" must be an integer greater than or equal to zero.',
    }),
  );
  expect(() => readLogRange({ after: text })).toThrow(Invalid);
});
