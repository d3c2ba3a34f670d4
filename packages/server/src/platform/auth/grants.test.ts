import { scopeNames } from "@slipway/api/contract/scopes";
import { describe, expect, it } from "vitest";

import { holdsEntry, holdsScope, mayHandOn } from "./grants.ts";

const everything = { scopes: ["coder:all"], allowList: ["*:*"] };

describe("scopes", () => {
  it("hold themselves, what their wildcard covers and what they are made of", () => {
    expect(holdsScope(["workspace:read"], "workspace:read")).toBe(true);
    expect(holdsScope(["workspace:read"], "workspace:ssh")).toBe(false);
    expect(holdsScope(["workspace:*"], "workspace:ssh")).toBe(true);
    expect(holdsScope(["user:*"], "user_secret:read")).toBe(false);
    expect(holdsScope(["coder:apikeys.manage_self"], "api_key:create")).toBe(true);
    expect(holdsScope(["coder:workspaces.access"], "workspace:start")).toBe(false);
    expect(holdsScope([], "workspace:read")).toBe(false);
    for (const scope of scopeNames) expect(holdsScope(["coder:all"], scope)).toBe(true);
  });

  it("are handed on to no one who would have more", () => {
    const reader = { scopes: ["workspace:read"], allowList: ["*:*"] };
    expect(mayHandOn(everything, reader)).toBe(true);
    expect(mayHandOn(reader, reader)).toBe(true);
    expect(mayHandOn(reader, everything)).toBe(false);
    expect(mayHandOn(reader, { ...reader, scopes: ["workspace:*"] })).toBe(false);
    const access = { ...reader, scopes: ["coder:workspaces.access"] };
    expect(mayHandOn({ ...reader, scopes: ["workspace:*"] }, access)).toBe(true);
    expect(mayHandOn({ ...reader, allowList: ["workspace:a"] }, reader)).toBe(false);
  });
});

describe("an allow list", () => {
  it("holds what it names, alone or by its type", () => {
    expect(holdsEntry(["*:*"], "workspace:a")).toBe(true);
    expect(holdsEntry(["workspace:*"], "workspace:a")).toBe(true);
    expect(holdsEntry(["workspace:a"], "workspace:a")).toBe(true);
    expect(holdsEntry(["workspace:a"], "workspace:b")).toBe(false);
    expect(holdsEntry(["workspace:a"], "workspace:*")).toBe(false);
    expect(holdsEntry(["template:*"], "workspace:a")).toBe(false);
  });
});
