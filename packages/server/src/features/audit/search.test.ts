import { expect, it } from "vitest";

import { parseAuditSearch } from "./search.ts";

it.each([
  ["", {}],
  ["dev", { target: "dev" }],
  ["action:create resource_type:workspace", { action: "create", resourceType: "workspace" }],
  ["username:Ann build_reason:autostart", { username: "ann", buildReason: "autostart" }],
  [
    "date_from:2026-01-01 date_to:2026-01-31",
    { from: "2026-01-01T00:00:00Z", to: "2026-01-31T23:59:59.999999Z" },
  ],
  [
    "action:create -username:Ann -dev -resource_type:api_key",
    {
      action: "create",
      exclusions: [{ username: "ann" }, { target: "dev" }, { resourceType: "api_key" }],
    },
  ],
])("reads %j", (q, search) => {
  expect(parseAuditSearch(q)).toEqual(search);
});

it.each([
  ["bogus:1", "bogus"],
  ["-bogus:1", "bogus"],
  ["-action:bogus", "action"],
  ["action:bogus", "action"],
  ["build_reason:bogus", "build_reason"],
  ["resource_type:bogus", "resource_type"],
  ["resource_id:1", "resource_id"],
  ["date_from:today", "date_from"],
  ["date_to:2026-13-45", "date_to"],
])("refuses %j and names the key", (q, field) => {
  expect(() => parseAuditSearch(q)).toThrow(
    expect.objectContaining({ code: "invalid", validations: [expect.objectContaining({ field })] }),
  );
});
