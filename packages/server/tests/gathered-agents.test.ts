import { openTestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { type FindAgent, gatherAgents, readAgent } from "../src/features/agents/service.ts";
import type { Database } from "../src/platform/db/database.ts";
import { fullGrant, type UserCaller } from "../src/platform/http/caller.ts";
import { HeldAnswers } from "./support/held-answers.ts";
import { seedAgent, seedBuild, seedWorkspace } from "./support/rows.ts";

let opened: AsyncDisposableStack;
let db: Database;
let answers: HeldAnswers;
let findAgent: FindAgent;
let agentId: string;
let ownerId: string;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  ({ db } = opened.use(await openTestDatabase(inject("postgresUrl"))));
  answers = new HeldAnswers();
  findAgent = gatherAgents(db.withPlugin(answers));
  const place = await seedWorkspace(db);
  const build = { number: 1, transition: "start", job: "succeeded" } as const;
  agentId = await seedAgent(db, await seedBuild(db, place, build));
  ownerId = place.userId;
});

afterEach(() => opened.disposeAsync());

function member(id: string): UserCaller {
  return { id, username: "", roles: [], keyId: "", grant: fullGrant, origin: undefined };
}

/** Returns the version of the agent as a member sees it. */
async function version(userId: string): Promise<string> {
  return (await readAgent(findAgent, member(userId), agentId, 0)).version;
}

describe("concurrent reads of an agent", () => {
  it("share a statement, and are refused one by one", async () => {
    const first = version(ownerId);
    await expect.poll(() => answers.count).toBe(1);
    const seen = [version(ownerId), version(ownerId)];
    const refused = expect(version("another user")).rejects.toMatchObject({ name: "NotFound" });
    answers.release();
    await Promise.all([first, ...seen, refused]);
    expect(answers.total).toBe(2);
  });

  it("see every change that was committed before they began", async () => {
    const early = version(ownerId);
    await expect.poll(() => answers.count).toBe(1);
    await sql`update workspace_agents set version = 'v2'`.execute(db);
    const late = version(ownerId);
    answers.release();
    expect([await early, await late]).toEqual(["", "v2"]);
  });
});
