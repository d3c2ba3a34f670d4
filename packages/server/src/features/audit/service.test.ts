import { expect, it } from "vitest";

import { diffOf } from "./service.ts";

it("tells the fields that differ, with both values", () => {
  const before = { name: "a", ttl_ms: null, roles: ["x"] };
  const after = { name: "b", ttl_ms: undefined, roles: ["x"], icon: "i" };
  expect(diffOf(before, after)).toEqual({
    name: { old: "a", new: "b", secret: false },
    icon: { old: null, new: "i", secret: false },
  });
});
