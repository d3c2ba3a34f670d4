import { expect, it } from "vitest";

import { termValue, withTerm } from "./search-terms.ts";

it("reads the value of a key, quoted or not, and none of what is excluded", () => {
  expect(termValue("owner:me Status:running -status:failed dev", "status")).toBe("running");
  expect(termValue('template:"my box"', "template")).toBe("my box");
  expect(termValue("-status:failed", "status")).toBeUndefined();
  expect(termValue("substatus:x", "status")).toBeUndefined();
});

it("replaces and removes a key, and keeps all else", () => {
  const q = 'owner:me -status:failed status:running name:"a b"';
  expect(withTerm(q, "status", "stopped")).toBe(
    'owner:me -status:failed name:"a b" status:stopped',
  );
  expect(withTerm(q, "status", undefined)).toBe('owner:me -status:failed name:"a b"');
  expect(withTerm("", "template", "my box")).toBe('template:"my box"');
});
