import { expect, it } from "vitest";

import { mergeStored } from "./merge-stored.ts";

const before = { name: "a", days: ["monday"], switches: { start: true, stop: false } };

it("takes newer values for fields that were not edited, in groups too", () => {
  const form = { ...before, name: "edited", switches: { start: false, stop: false } };
  const stored = { name: "b", days: ["sunday"], switches: { start: true, stop: true } };
  expect(mergeStored(form, before, stored)).toEqual({
    name: "edited",
    days: ["sunday"],
    switches: { start: false, stop: true },
  });
});

it("keeps what was entered while the values before it were saved", () => {
  const form = { ...before, name: "second" };
  const merged = mergeStored(form, before, { ...before, name: "first" });
  expect(merged.name).toBe("second");
});

it("follows again once an edited value was saved", () => {
  const saved = { ...before, name: "saved" };
  const form = mergeStored(saved, before, saved);
  expect(mergeStored(form, saved, { ...before, name: "later" }).name).toBe("later");
});
