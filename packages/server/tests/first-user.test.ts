import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { createFirstUser } from "../src/features/users/admin-service.ts";
import { Conflict } from "../src/platform/errors/errors.ts";

let database: TestDatabase;

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
});

afterEach(() => database[Symbol.asyncDispose]());

describe("the first user", () => {
  it("is made by exactly one of 10 who try at once", async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        createFirstUser(database.db, {
          username: `user${index}`,
          email: `user${index}@example.com`,
          name: "",
          password: "correct-horse-battery-42",
        }),
      ),
    );
    const refusals = attempts.flatMap((attempt) => ("reason" in attempt ? [attempt.reason] : []));
    expect(refusals).toHaveLength(9);
    for (const refusal of refusals) {
      expect(refusal).toBeInstanceOf(Conflict);
    }
    const users = await database.db
      .selectFrom("users")
      .where("is_system", "=", false)
      .select(["username", "roles"])
      .execute();
    expect(users).toMatchObject([{ roles: ["owner"] }]);
    const members = await database.db.selectFrom("organization_members").selectAll().execute();
    expect(members).toHaveLength(1);
  });

  it.each([
    [{ username: "new" }, "username"],
    [{ email: "nobody" }, "email"],
    [{ password: "password" }, "password"],
  ])("is refused with %j", async (wrong, field) => {
    const good = { username: "a", email: "a@b", name: "", password: "correct-horse-battery-42" };
    await expect(createFirstUser(database.db, { ...good, ...wrong })).rejects.toMatchObject({
      code: "invalid",
      validations: [{ field }],
    });
  });
});
