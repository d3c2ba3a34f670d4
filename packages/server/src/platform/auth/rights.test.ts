import { roleNames } from "@slipway/api/users/user";
import { describe, expect, it } from "vitest";

import { fullGrant, type UserCaller } from "../http/caller.ts";
import {
  isOwnerRole,
  mayActFor,
  mayChangeUser,
  mayCreateUsers,
  mayReadPrebuilds,
  maySeeUsers,
  maySeeWorkspacesOf,
  mayWriteTemplates,
} from "./rights.ts";

function withRoles(...roles: string[]): UserCaller {
  return {
    id: "caller",
    username: "caller",
    roles,
    keyId: "",
    grant: fullGrant,
    origin: undefined,
  };
}

/** Returns the roles that pass a check. */
function rolesWith(may: (user: UserCaller) => boolean): readonly string[] {
  return roleNames.filter((role) => may(withRoles(role)));
}

describe("the rights of a role", () => {
  it("are as the specification says of what belongs to others", () => {
    expect(rolesWith(isOwnerRole)).toEqual(["owner"]);
    expect(rolesWith((user) => mayActFor(user, "other"))).toEqual(["owner"]);
    expect(rolesWith(mayWriteTemplates)).toEqual(["owner", "template-admin"]);
    expect(rolesWith((user) => maySeeWorkspacesOf(user, "other"))).toEqual([
      "owner",
      "template-admin",
    ]);
    expect(rolesWith(mayReadPrebuilds)).toEqual(["owner", "template-admin"]);
    expect(rolesWith(mayCreateUsers)).toEqual(["owner", "user-admin"]);
    expect(rolesWith(maySeeUsers)).toEqual(["owner", "template-admin", "user-admin", "auditor"]);
  });

  it("are all there for what is one's own, and none for a role that there is not", () => {
    expect(rolesWith((user) => mayActFor(user, user.id))).toEqual([...roleNames]);
    expect(rolesWith((user) => maySeeWorkspacesOf(user, user.id))).toEqual([...roleNames]);
    expect([maySeeUsers, mayWriteTemplates].map((may) => may(withRoles("king")))).toEqual([
      false,
      false,
    ]);
  });

  it("add up", () => {
    const both = withRoles("template-admin", "user-admin");
    expect([mayWriteTemplates(both), mayCreateUsers(both)]).toEqual([true, true]);
  });

  it.each(roleNames.filter((role) => role !== "member"))(
    "let only an owner change who is %s",
    (role) => {
      const other = { id: "other", roles: [role] };
      expect(rolesWith((user) => mayChangeUser(user, other))).toEqual(["owner"]);
    },
  );

  it("let a user admin change users without a role, but not themselves", () => {
    const may = (id: string) => mayChangeUser(withRoles("user-admin"), { id, roles: [] });
    expect([may("other"), may("caller")]).toEqual([true, false]);
  });
});
