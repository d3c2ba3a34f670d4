import { expect, it } from "vitest";

import { readSearchTerms } from "./search-terms.ts";

it.each([
  ["", []],
  ["dev", [{ key: undefined, value: "dev", isExcluded: false }]],
  [
    "  Owner:ME   dev ",
    [
      { key: "owner", value: "me", isExcluded: false },
      { key: undefined, value: "dev", isExcluded: false },
    ],
  ],
  ['name:"my dev"', [{ key: "name", value: "my dev", isExcluded: false }]],
  [
    'last_used_after:"2026-01-01T00:00:00Z"',
    [{ key: "last_used_after", value: "2026-01-01t00:00:00z", isExcluded: false }],
  ],
  [
    '"a b" c',
    [
      { key: undefined, value: "a b", isExcluded: false },
      { key: undefined, value: "c", isExcluded: false },
    ],
  ],
  [
    "-status:stopped -old - name:-x",
    [
      { key: "status", value: "stopped", isExcluded: true },
      { key: undefined, value: "old", isExcluded: true },
      { key: undefined, value: "-", isExcluded: false },
      { key: "name", value: "-x", isExcluded: false },
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
