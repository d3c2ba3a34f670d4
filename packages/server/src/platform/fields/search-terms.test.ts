import { expect, it } from "vitest";

import { readSearchTerms } from "./search-terms.ts";

it.each([
  ["", []],
  ["dev", [{ key: undefined, value: "dev" }]],
  [
    "  Owner:ME   dev ",
    [
      { key: "owner", value: "me" },
      { key: undefined, value: "dev" },
    ],
  ],
  ['name:"my dev"', [{ key: "name", value: "my dev" }]],
  [
    'last_used_after:"2026-01-01T00:00:00Z"',
    [{ key: "last_used_after", value: "2026-01-01t00:00:00z" }],
  ],
  [
    '"a b" c',
    [
      { key: undefined, value: "a b" },
      { key: undefined, value: "c" },
    ],
  ],
])("splits %j", (q, terms) => {
  expect(readSearchTerms(q, "wrong")).toEqual(terms);
});

it.each(["a:b:c", ":b", "a:", "a::b"])("refuses %j", (q) => {
  expect(() => readSearchTerms(q, "wrong")).toThrow(
    expect.objectContaining({ code: "invalid", message: "wrong" }),
  );
});
