import { expect, it } from "vitest";

import { readTags } from "./tags.ts";

it("reads tags without the usual ones", () => {
  const tags = { region: "eu", none: "", ["x".repeat(128)]: "long" };
  expect(readTags("tags", { scope: "organization", owner: "", ...tags })).toEqual(tags);
  expect(readTags("tags", null)).toEqual({});
});

it.each([
  [{ scope: "user" }, "scope or an owner"],
  [{ owner: "ann" }, "scope or an owner"],
  [{ "": "eu" }, "names of 1 to 128 characters"],
  [{ ["x".repeat(129)]: "eu" }, "names of 1 to 128 characters"],
  [{ region: "e\0u" }, "NUL"],
  [{ "re\0gion": "eu" }, "NUL"],
])("refuses %j", (tags, problem) => {
  expect(() => readTags("tags", tags)).toThrow(
    expect.objectContaining({
      validations: [{ field: "tags", detail: expect.stringContaining(problem) }],
    }),
  );
});
