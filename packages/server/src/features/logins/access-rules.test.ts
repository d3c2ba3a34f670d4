import { describe, expect, it } from "vitest";

import { decideAccess } from "./access-rules.ts";

const open = {
  allowedDomains: [],
  allowedGroups: [],
  roleMapping: undefined,
  needsMappedRole: false,
};
const ada = { email: "ada@example.com", isEmailVerified: true, groups: ["Acme/Dev", "staff"] };

const mapping = new Map([
  ["staff", ["member"]],
  ["admins", ["owner"]],
  ["dev", ["auditor", "template-admin"]],
] as const);

describe("decideAccess", () => {
  it("leaves roles alone without a mapping", () => {
    expect(decideAccess(open, ada)).toEqual({ type: "allowed", roles: undefined });
  });

  it.each([
    ["the domain itself", "ada@Example.com", "allowed"],
    ["a subdomain", "ada@evil.example.com", "refused"],
    ["a domain that ends alike", "ada@notexample.com", "refused"],
    ["the domain before another @", "ada@example.com@evil.com", "refused"],
    ["no address", undefined, "refused"],
  ])("compares whole domains: %s", (_name, email, type) => {
    const rules = { ...open, allowedDomains: ["example.com"] };
    expect(decideAccess(rules, { ...ada, email }).type).toBe(type);
  });

  it("wants a verified address for a domain", () => {
    const rules = { ...open, allowedDomains: ["example.com"] };
    const unverified = { ...ada, isEmailVerified: false };
    expect(decideAccess(rules, unverified)).toEqual({ type: "refused", code: "email-unverified" });
  });

  it.each([
    [["acme/dev"], "allowed"],
    [["other", "acme/dev"], "allowed"],
    [["acme"], "refused"],
    [["acme/dev2"], "refused"],
  ])("lets members of %o in: %s", (allowedGroups, type) => {
    expect(decideAccess({ ...open, allowedGroups }, ada).type).toBe(type);
  });

  it("adds up the roles of all groups, and refuses only those without any", () => {
    const rules = { ...open, roleMapping: mapping, needsMappedRole: true };
    const roles = (groups: readonly string[]) => decideAccess(rules, { ...ada, groups });
    expect(roles(["dev", "admins"])).toEqual({
      type: "allowed",
      roles: ["owner", "template-admin", "auditor"],
    });
    expect(roles(["staff"])).toEqual({ type: "allowed", roles: [] });
    expect(roles(["Admins"])).toEqual({ type: "refused", code: "no-role" });
    expect(decideAccess({ ...rules, needsMappedRole: false }, { ...ada, groups: [] })).toEqual({
      type: "allowed",
      roles: [],
    });
  });
});
