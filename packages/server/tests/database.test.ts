import { randomUUID } from "node:crypto";

import { type LogFields, silentLogger } from "@slipway/runtime";
import {
  openTestDatabase,
  postgresTarget,
  postgresUrlAt,
  TcpProxy,
  type TestDatabase,
} from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { openDatabase } from "../src/platform/db/database.ts";
import { insertRows } from "../src/platform/db/insert-rows.ts";
import { prepareQuery } from "../src/platform/db/prepared-query.ts";
import { apiTimestamp, readTimestamp } from "../src/platform/db/timestamp.ts";
import { seedBuild, seedWorkspace } from "./support/rows.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
});

afterAll(() => database[Symbol.asyncDispose]());

it("keeps its own settings beside those that a URL names", async () => {
  const url = new URL(database.url);
  url.searchParams.set("options", "-c enable_seqscan=off -c timezone=Europe/Berlin");
  const db = openDatabase({ url: url.href }, silentLogger);
  const setting = async (name: string): Promise<unknown> => {
    const { rows } = await sql<{ value: string }>`select current_setting(${name}) as value`.execute(
      db,
    );
    return rows[0]?.value;
  };
  try {
    expect(await setting("enable_seqscan")).toBe("off");
    expect(await setting("TimeZone")).toBe("UTC");
    expect(await setting("plan_cache_mode")).toBe("force_generic_plan");
  } finally {
    await db.destroy();
  }
});

it("warns once of idle connections that break together", async () => {
  await using proxy = await TcpProxy.open(() => [postgresTarget(database.url)]);
  const warnings: LogFields[] = [];
  const lost: LogFields[] = [];
  const logger = {
    ...silentLogger,
    warn: (fields: LogFields) => void warnings.push(fields),
    debug: (fields: LogFields) => void lost.push(fields),
  };
  const db = openDatabase({ url: postgresUrlAt(database.url, proxy.port) }, logger);
  await Promise.all([1, 2, 3].map((number) => sql`select ${number}`.execute(db)));
  for (const link of proxy.links) link.cut();
  await expect.poll(() => lost.length).toBe(2);
  expect(warnings).toHaveLength(1);
  await db.destroy();
});

it("inserts rows that refer to each other, whatever their values are made of", async () => {
  const { db } = database;
  const build = { number: 1, transition: "start", job: "succeeded" } as const;
  const { buildId, jobId } = await seedBuild(db, await seedWorkspace(db), build);
  const [resourceId, agentId] = [randomUUID(), randomUUID()];
  const odd = `'"\\ \n\t\u{1f6a2} $1 {}`;
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  await insertRows(db, [
    // The first one references the last one.
    { table: "workspace_agent_log_positions", rows: [{ workspace_agent_id: agentId }] },
    {
      table: "workspace_agents",
      rows: [
        {
          id: agentId,
          resource_id: resourceId,
          workspace_build_id: buildId,
          name: odd,
          auth_token_hash: bytes,
          auth_token_encrypted: bytes,
          architecture: "amd64",
          operating_system: "linux",
          environment_variables: { A: odd },
          display_apps: ["vscode", "ssh_helper"],
        },
      ],
    },
    { table: "workspace_apps", rows: [] },
    {
      table: "workspace_resources",
      rows: [
        { id: resourceId, job_id: jobId, workspace_transition: "start", type: "t", name: "n" },
      ],
    },
  ]);
  const agent = await db
    .selectFrom("workspace_agents")
    .where("id", "=", agentId)
    .selectAll()
    .executeTakeFirstOrThrow();
  expect(agent).toMatchObject({
    name: odd,
    auth_token_hash: bytes,
    environment_variables: { A: odd },
    display_apps: ["vscode", "ssh_helper"],
    // By default.
    took_over: false,
    lifecycle_state: "created",
    parent_id: null,
  });
});

it("inserts nothing of no rows", async () => {
  await insertRows(database.db, [{ table: "workspace_apps", rows: [] }]);
});

it.each([
  "2026-07-24 05:20:02.5+00",
  "2026-07-24 05:20:02+00",
  "2026-07-24 05:20:10.123456+00",
  "2026-07-24 05:20:00+00",
])("writes %s within JSON as everywhere else", async (text) => {
  const { rows } = await sql<{ json: readonly [{ at: string }] }>`
    select json_agg(row) as json from (
      select ${apiTimestamp("time")} as at from (select ${text}::timestamptz as time) times) row`.execute(
    database.db,
  );
  expect(rows[0]?.json[0].at).toBe(readTimestamp(text));
});

it("builds a prepared statement once, and fills in the values of each call", async () => {
  const { db } = database;
  let built = 0;
  const find = prepareQuery((queryable, number: number, text: string) => {
    built += 1;
    return queryable.selectNoFrom([
      sql<string>`${text}::text`.as("text"),
      sql<number>`${number}::int + ${number}::int`.as("twice"),
    ]);
  });
  const odd = `'"\\ $1 \u{1f6a2}`;
  expect(await find(db, 1, odd)).toEqual([{ text: odd, twice: 2 }]);
  await db.transaction().execute(async (trx) => {
    expect(await find(trx, 20, "")).toEqual([{ text: "", twice: 40 }]);
  });
  expect(built).toBe(1);
});

it("refuses to prepare a statement that leaves a value out", async () => {
  const careless = prepareQuery((queryable, used: number, _unused: number) =>
    queryable.selectNoFrom(sql<number>`${used}::int`.as("used")),
  );
  await expect(careless(database.db, 1, 2)).rejects.toThrow("value 1 is not a parameter");
});
