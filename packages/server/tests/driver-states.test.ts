import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { selectDriverState } from "../src/features/builds/driver-state.ts";
import { SecretBox } from "../src/platform/auth/secret-box.ts";
import { seedBuild, type SeededWorkspace, seedWorkspace } from "./support/rows.ts";

const secrets = new SecretBox(["a secret of the test"]);
let database: TestDatabase;
let place: SeededWorkspace;

beforeAll(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  place = await seedWorkspace(database.db);
  const definition = JSON.stringify({ driver: "docker" });
  await sql`update template_versions set definition = ${definition}`.execute(database.db);
  for (const [number, state] of ["one", "two", undefined, "four"].entries()) {
    const { buildId } = await seedBuild(database.db, place, {
      number: number + 1,
      transition: "start",
      job: "failed",
    });
    if (state === undefined) continue;
    await sql`update workspace_builds set driver_state = ${Buffer.from(state)}
      where id = ${buildId}`.execute(database.db);
  }
});
afterAll(() => database[Symbol.asyncDispose]());

it.each([
  [1, "one"],
  [2, "two"],
  [3, "two"],
  [4, "four"],
  [9, "four"],
])("the state up to build %i is that of the newest one that has any", async (upTo, state) => {
  const subject = { workspaceId: place.workspaceId, upTo, driver: "docker" };
  const found = await selectDriverState(database.db, secrets, subject);
  expect(Buffer.from(found ?? []).toString()).toBe(state);
});

it("no state is read of another driver, or of a workspace without one", async () => {
  const { workspaceId } = place;
  for (const subject of [
    { workspaceId, upTo: 9, driver: "process" },
    { workspaceId, upTo: 0, driver: "docker" },
  ]) {
    expect(await selectDriverState(database.db, secrets, subject)).toBeUndefined();
  }
});

it("of many states only one is read", async () => {
  let rows = 0;
  const counting = database.db.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      rows += result.rows.length;
      return result;
    },
  });
  const subject = { workspaceId: place.workspaceId, upTo: 9, driver: "docker" };
  await selectDriverState(counting, secrets, subject);
  expect(rows).toBe(1);
});
