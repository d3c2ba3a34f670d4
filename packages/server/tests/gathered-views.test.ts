import { openTestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { GatheredViews } from "../src/features/claims/reinit/queries.ts";
import { hashAgentToken } from "../src/platform/auth/agent-token.ts";
import type { Database } from "../src/platform/db/database.ts";
import { HeldAnswers } from "./support/held-answers.ts";
import { seedAgent, seedBuild, seedWorkspace } from "./support/rows.ts";

const tokens = ["one", "two"].map(hashAgentToken);
let opened: AsyncDisposableStack;
let db: Database;
let answers: HeldAnswers;
let views: GatheredViews;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  ({ db } = opened.use(await openTestDatabase(inject("postgresUrl"))));
  answers = new HeldAnswers();
  views = new GatheredViews(db.withPlugin(answers));
  const place = await seedWorkspace(db);
  const build = { number: 1, transition: "start", job: "succeeded" } as const;
  await seedAgent(db, await seedBuild(db, place, build), "one");
});

afterEach(() => opened.disposeAsync());

function deleteWorkspaces() {
  return sql`update workspaces set deleted = true`.execute(db);
}

describe("a look", () => {
  it("never shares a statement that was under way when it came", async () => {
    const [one = Buffer.of()] = tokens;
    const early = views.read(one);
    await expect.poll(() => answers.count).toBe(1);
    await deleteWorkspaces();
    const late = views.read(one);
    answers.release();
    expect(await early).toMatchObject({ type: "live" });
    expect(await late).toEqual({ type: "gone" });
  });

  it("shares the next statement with all that came meanwhile, each with its own answer", async () => {
    const [one = Buffer.of(), two = Buffer.of()] = tokens;
    const early = views.read(two);
    await expect.poll(() => answers.count).toBe(1);
    const late = [views.read(one), views.read(two), views.read(one)];
    answers.release();
    expect(await early).toEqual({ type: "gone" });
    expect((await Promise.all(late)).map(({ type }) => type)).toEqual(["live", "gone", "live"]);
    expect(answers.total).toBe(2);
  });
});
