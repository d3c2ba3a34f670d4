import { randomUUID } from "node:crypto";

import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { selectDue, updateDue } from "../src/features/schedules/queries.ts";
import type { Queryable } from "../src/platform/db/database.ts";
import { inTransaction } from "../src/platform/db/transaction.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";
import { seedBuild, seedWorkspace, type SeededWorkspace } from "./support/rows.ts";
import {
  histories,
  play,
  selectDifferences,
  selectMissed,
  type Stage,
} from "./support/state-histories.ts";

/* The rows that follow workspaces, after any history of changes that overlap. */

let database: TestDatabase;
let stage: Stage;

beforeAll(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  stage = await openStage(database);
});
afterAll(() => database[Symbol.asyncDispose]());

/** Creates three workspaces of one template, and two users. */
async function openStage({ db }: TestDatabase): Promise<Stage> {
  const first = await seedWorkspace(db);
  const other = randomUUID();
  await sql`insert into users (id, username, email, roles)
    values (${other}, 'bob', 'bob@example.com', '{}')`.execute(db);
  const copies: SeededWorkspace[] = [];
  for (const name of ["two", "three"]) {
    const workspaceId = randomUUID();
    await sql`insert into workspaces (id, owner_id, organization_id, template_id, name)
      select ${workspaceId}, owner_id, organization_id, template_id, ${name}
        from workspaces where id = ${first.workspaceId}`.execute(db);
    copies.push({ ...first, workspaceId });
  }
  const workspaces = [first, ...copies];
  for (const workspace of workspaces)
    await seedBuild(db, workspace, { number: 1, transition: "start", job: "succeeded" });
  return { db, workspaces, userIds: [first.userId, other] };
}

const runs = Number(process.env["SLIPWAY_TEST_HISTORIES"] ?? 40);

it(
  "say what the builds, jobs and owners say, and when to look at each",
  { timeout: 3_600_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        await play(stage, history, 6);
        expect(await selectDifferences(stage.db)).toEqual([]);
        expect(await selectMissed(stage)).toEqual([]);
      }),
      { numRuns: runs, endOnFailure: true },
    );
  },
);

describe("two changes that commit together", () => {
  /** Renames a workspace, and goes as far in its commit as the row that follows. */
  const holdRename = (workspaceId: string, name: string) =>
    holdOpen(stage.db, async (trx) => {
      await sql`update workspaces set name = ${name} where id = ${workspaceId}`.execute(trx);
      await sql`set constraints all immediate`.execute(trx);
    });

  it("are both in the row", async () => {
    const id = stage.workspaces[0]?.workspaceId ?? "";
    await using rename = await holdRename(id, randomUUID());
    const settled = sql`update jobs set error = ${randomUUID()} where id = (
      select job_id from workspace_builds where workspace_id = ${id}
        order by build_number desc limit 1)`.execute(stage.db);
    await waitForBlocked(stage.db);
    await rename.commit();
    await settled;
    expect(await selectDifferences(stage.db)).toEqual([]);
  });

  it("leave the workspace with the new name of its new owner", async () => {
    const { db, userIds } = stage;
    const id = stage.workspaces[0]?.workspaceId ?? "";
    const [first, second] = userIds;
    await sql`update workspaces set owner_id = ${first} where id = ${id}`.execute(db);
    await using rename = await holdOpen(db, async (trx) => {
      await sql`update users set username = 'renamed' where id = ${second}`.execute(trx);
      await sql`set constraints all immediate`.execute(trx);
    });
    const claim = sql`update workspaces set owner_id = ${second} where id = ${id}`.execute(db);
    await Promise.race([claim, waitForBlocked(db).catch(() => undefined)]);
    await rename.commit();
    await claim;
    expect(await selectDifferences(db)).toEqual([]);
  });

  it("leave the workspace due if one is that the scheduler looked at it", async () => {
    const { db } = stage;
    const id = stage.workspaces[0]?.workspaceId ?? "";
    // The histories may have deleted it.
    await sql`update workspaces set deleted = false where id = ${id}`.execute(db);
    const pages = await Array.fromAsync(selectDue(db, Date.now()));
    const due = pages.flat().find((page) => page.workspace.id === id);
    if (due === undefined) throw new RangeError("a workspace that has changed is due");
    await using rename = await holdRename(id, randomUUID());
    const looked = updateDue(db, [{ due, at: Date.now() + 3_600_000 }]);
    // It does not wait; if it did, it would wait for the end of the change.
    const giveUp = waitForBlocked(db).catch(() => undefined);
    await Promise.race([looked, giveUp]);
    await rename.commit();
    await looked;
    const again = await Array.fromAsync(selectDue(db, Date.now()));
    expect(again.flat().map((page) => page.workspace.id)).toContain(id);
  });
});

describe("a change and a build in one transaction", () => {
  const rename = async (trx: Queryable, id: string): Promise<void> => {
    await sql`update workspaces set name = ${randomUUID()} where id = ${id}`.execute(trx);
  };
  const build = (trx: Queryable, workspace: SeededWorkspace, number: number) =>
    seedBuild(trx, workspace, { number, transition: "start", job: "succeeded" });
  const revisionOf = async (id: string): Promise<number> => {
    const { rows } = await sql<{ readonly revision: number }>`
      select revision from workspace_states where workspace_id = ${id}`.execute(stage.db);
    return rows[0]?.revision ?? Number.NaN;
  };
  const open = () => {
    const [workspace] = stage.workspaces;
    if (workspace === undefined) throw new RangeError("a stage has workspaces");
    return { workspace, id: workspace.workspaceId };
  };

  it("derive the row once, as a claim does", async () => {
    const { workspace, id } = open();
    const before = await revisionOf(id);
    await inTransaction(stage.db, async (trx) => {
      await rename(trx, id);
      await build(trx, workspace, 1_001);
    });
    expect(await revisionOf(id)).toBe(before + 1);
    expect(await selectDifferences(stage.db)).toEqual([]);
  });

  it("are both in the row when the change comes last, also with immediate triggers", async () => {
    const { workspace, id } = open();
    await inTransaction(stage.db, async (trx) => {
      await sql`set constraints all immediate`.execute(trx);
      await build(trx, workspace, 1_002);
      await rename(trx, id);
    });
    expect(await selectDifferences(stage.db)).toEqual([]);
  });
});

describe("without a trigger", () => {
  it.each([
    ["workspace_builds", "state_follows_new_build"],
    ["workspace_builds", "state_follows_deadline"],
    ["jobs", "state_follows_job"],
    ["workspaces", "state_follows_workspace"],
    ["users", "state_follows_owner"],
    ["templates", "state_follows_template"],
  ])("the rows would differ: %s, %s", { timeout: 120_000 }, async (table, trigger) => {
    await using own = await openTestDatabase(inject("postgresUrl"));
    const broken = await openStage(own);
    await sql`alter table ${sql.table(table)} disable trigger ${sql.ref(trigger)}`.execute(own.db);
    for (const history of fc.sample(histories, 300)) {
      await play(broken, history, 1);
      const wrong = [...(await selectMissed(broken)), ...(await selectDifferences(own.db))];
      if (wrong.length > 0) return;
    }
    expect.unreachable("no history showed a difference");
  });
});
