import { describe, expect, it } from "vitest";

import { parseSearch } from "./search.ts";

const id = "11111111-1111-4111-8111-111111111111";

describe("parseSearch", () => {
  it.each([
    ["", {}],
    ["owner:me", { owner: "me" }],
    ["  owner:ann   name:dev ", { owner: "ann", name: "dev" }],
    ["dev", { name: "dev" }],
    ["ann/dev", { owner: "ann", name: "dev" }],
    ['owner:"ann" name:"my-dev"', { owner: "ann", name: "my-dev" }],
    ["template:small status:running", { template: "small", status: "running" }],
    ["has-agent:connected,timeout", { hasAgent: ["connected", "timeout"] }],
    ["has_agent:connected", { hasAgent: ["connected"] }],
    [`id:${id}`, { ids: [id] }],
    [
      "dormant:true outdated:false healthy:1 favorite:yes",
      { dormant: true, outdated: false, healthy: true, favorite: true },
    ],
    ["last_used_before:2026-01-02", { lastUsedBefore: "2026-01-02T00:00:00.000Z" }],
    ['last_used_after:"2026-01-02T03:04:05+01:00"', { lastUsedAfter: "2026-01-02T02:04:05.000Z" }],
    ["shared:true", { nothing: true }],
    ["shared:false", {}],
    ["shared_with_user:ann", { nothing: true }],
    ["has-ai-task:true", { nothing: true }],
    ["has_external_agent:true", { hasExternalAgent: true }],
    ["param:size param:zone=eu", { params: [{ name: "size" }, { name: "zone", value: "eu" }] }],
    [
      "dev -owner:me -status:stopped -old -ann/test",
      {
        name: "dev",
        exclusions: [
          { owner: "me" },
          { status: "stopped" },
          { name: "old" },
          { owner: "ann", name: "test" },
        ],
      },
    ],
    ["name:-x -", { name: "-" }],
  ])("reads %j", (q, search) => {
    expect(parseSearch(q)).toEqual(search);
  });

  it.each([
    ["owner:me bogus:1", "bogus", '"bogus" is not a valid query param'],
    ["constructor:1", "constructor", '"constructor" is not a valid query param'],
    ["status:odd", "status", 'found "odd"'],
    ["has-agent:odd", "has-agent", "must be one of connecting"],
    ["dormant:maybe", "dormant", "must be a valid boolean"],
    ["id:1", "id", "must be a valid UUID"],
    ["last_used_after:soon", "last_used_after", "RFC 3339"],
    ["-dormant:true", "-dormant", '"-dormant" is not a valid query param'],
    ["-status:odd", "-status", 'found "odd"'],
    ["a:b:c", "q", "must have the form key:value"],
  ])("refuses %j and names what is wrong", (q, field, detail) => {
    expect(() => parseSearch(q)).toThrow(
      expect.objectContaining({
        code: "invalid",
        message: "Invalid workspace search query.",
        validations: [{ field, detail: expect.stringContaining(detail) }],
      }),
    );
  });
});
