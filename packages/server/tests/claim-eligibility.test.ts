import { agentsOf, ClaimStage, connect, fillPool, openTestDatabase } from "@slipway/testkit";
import { type ControlledTransaction, type RawBuilder, sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";

import { updateAgentLifecycle } from "../src/features/agents/lifecycle/lifecycle-rpc.ts";
import { insertSubAgent } from "../src/features/agents/sub-agents/sub-agent-queries.ts";
import { sqlClaim } from "../src/features/claims/claim-queries.ts";
import { createAgentToken } from "../src/platform/auth/agent-token.ts";
import type { DB } from "../src/platform/db/gen/schema.ts";

const settings = {
  automatic_updates: "never",
  autostart_schedule: null,
  next_start_at: null,
  ttl_ms: 3_600_000,
  on_deadline: "stop",
} as const;
const terms = { endsAgents: false, waits: true } as const;

const opened = new AsyncDisposableStack();
let stage: ClaimStage;
/** Another version of the template. */
let nextVersionId: string;
/** The prebuilds, oldest first. */
let waiting: readonly string[];
/** Rolled back after each test. */
let trx: ControlledTransaction<DB>;

beforeAll(async () => {
  const { db } = opened.use(await openTestDatabase(inject("postgresUrl")));
  stage = await ClaimStage.open(db, {
    driver: "external",
    agentNames: ["main", "second"],
    pool: { instances: 3, expireAfterSeconds: 3600 },
  });
  nextVersionId = (await stage.pushVersion()).id;
  waiting = await fillPool(stage);
});

afterAll(() => opened.disposeAsync());

beforeEach(async () => {
  trx = await stage.needs.db.startTransaction().execute();
});

afterEach(() => trx.rollback().execute());

/** Lists the prebuilds that claims would get, in this order. */
async function listClaimable(): Promise<readonly string[]> {
  const found: string[] = [];
  for (;;) {
    const wanted = { count: 1, except: found };
    const ids = await sqlClaim(trx, terms).lockPrebuilds(stage.version.presetId, wanted);
    if (ids.length === 0) return found;
    found.push(...ids);
  }
}

/** Returns the claim of a prebuild for the administrator. */
function changeOf(workspaceId: string) {
  const owner = { ownerId: stage.admin.id, name: `of-${workspaceId}`, settings };
  return { workspaceId, owner };
}

/** Lists the prebuilds that a claim gets after locking them. */
async function listChangeable(): Promise<readonly string[]> {
  const before = await trx.savepoint("before").execute();
  const changes = waiting.map((id) => changeOf(id));
  const changed = await sqlClaim(before, terms).claimPrebuilds(stage.version.presetId, changes);
  await before.rollbackToSavepoint("before").execute();
  return waiting.filter((id) => changed.has(id));
}

async function expectClaimable(prebuilds: readonly string[]): Promise<void> {
  expect(await listClaimable()).toEqual(prebuilds);
  expect(await listChangeable()).toEqual(prebuilds);
}

/** Statements about the newest prebuild, which has one build. */
type Change = (workspaceId: string) => RawBuilder<unknown>;

const jobOf = (workspaceId: string) =>
  sql`(select job_id from workspace_builds where workspace_id = ${workspaceId})`;
const buildOf = (workspaceId: string) =>
  sql`(select id from workspace_builds where workspace_id = ${workspaceId})`;

describe("a claim", () => {
  it("gets the oldest prebuild, whatever its name", async () => {
    for (const [index, id] of waiting.entries()) {
      await sql`update workspaces set name = ${`prebuild-${9 - index}`} where id = ${id}`.execute(
        trx,
      );
    }
    await expectClaimable(waiting);
  });

  it("gets the oldest last while one of its agents is not connected", async () => {
    const [first = "", ...others] = waiting;
    const isMain = sql`name = 'main' and workspace_build_id = ${buildOf(first)}`;
    for (const lost of [
      sql`last_connected_at = null`,
      sql`disconnected_at = last_connected_at`,
      sql`last_connected_at = now() - interval '31 seconds'`,
    ]) {
      const before = await trx.savepoint("connected").execute();
      await sql`update workspace_agents set ${lost} where ${isMain}`.execute(trx);
      expect(await listClaimable()).toEqual([...others, first]);
      await before.rollbackToSavepoint("connected").execute();
    }
  });

  it.each([
    "created",
    "starting",
    "start_timeout",
    "start_error",
    "shutting_down",
    "shutdown_timeout",
    "shutdown_error",
    "off",
  ] as const)("leaves alone a prebuild one of whose agents is %s", async (state) => {
    const [first = "", ...others] = waiting;
    const [, second] = await agentsOf(stage.needs, first);
    const session = await connect(stage.needs, second?.token ?? "");
    if (session === undefined) throw new Error("the agent is not let in");
    const changedAt = new Date().toISOString();
    await updateAgentLifecycle(trx, session, { state, changedAt });
    await expectClaimable(others);
    await updateAgentLifecycle(trx, session, { state: "ready", changedAt });
    await expectClaimable(waiting);
  });

  it("does not wait for sub-agents", async () => {
    const [main] = await agentsOf(stage.needs, waiting[0] ?? "");
    await insertSubAgent(trx, {
      parentId: main?.id ?? "",
      name: "container",
      directory: "/",
      architecture: "amd64",
      operatingSystem: "linux",
      displayApps: [],
      token: createAgentToken(stage.needs.secrets),
    });
    await expectClaimable(waiting);
  });

  it("leaves alone what expired, and nothing that is about to", async () => {
    const age = (seconds: number) =>
      sql`update workspace_builds set created_at = now() - make_interval(secs => ${seconds})
        where workspace_id = ${waiting[2]}`.execute(trx);
    await age(3_600);
    await expectClaimable(waiting);
    await age(3_601);
    await expectClaimable(waiting.slice(0, 2));
  });

  it("leaves alone what is no longer of the active version", async () => {
    await sql`update templates set active_version_id = ${nextVersionId}`.execute(trx);
    await expectClaimable([]);
  });

  it("leaves alone what is of a deleted template", async () => {
    await sql`update templates set deleted = true`.execute(trx);
    await expectClaimable([]);
  });

  it.each<[string, Change]>([
    [
      "was built before the last invalidation",
      (id) => sql`with old as (
        update workspace_builds set created_at = now() - interval '2 hours' where workspace_id = ${id})
        update template_version_presets
          set last_invalidated_at = now() - interval '1 hour', invalidate_after_secs = 0`,
    ],
    [
      "was built again with another version",
      (id) =>
        sql`update workspace_builds set template_version_id = ${nextVersionId} where workspace_id = ${id}`,
    ],
    ["is being built", (id) => sql`update jobs set completed_at = null where id = ${jobOf(id)}`],
    ["failed", (id) => sql`update jobs set error = 'broken' where id = ${jobOf(id)}`],
    ["was canceled", (id) => sql`update jobs set canceled_at = now() where id = ${jobOf(id)}`],
    [
      "was stopped",
      (id) => sql`update workspace_builds set transition = 'stop' where workspace_id = ${id}`,
    ],
    [
      "is a user's",
      (id) => sql`update workspaces set owner_id = ${stage.admin.id} where id = ${id}`,
    ],
    [
      "is in no pool",
      (id) => sql`update workspaces set prebuild_preset_id = null where id = ${id}`,
    ],
    ["was deleted", (id) => sql`update workspaces set deleted = true where id = ${id}`],
    [
      "has no agents",
      (id) =>
        sql`update workspace_agents set deleted = true where workspace_build_id = ${buildOf(id)}`,
    ],
  ])("leaves alone what %s", async (_, change) => {
    await change(waiting[2] ?? "").execute(trx);
    await expectClaimable(waiting.slice(0, 2));
  });

  it("passes on to the next when a prebuild changes between its choice and the lock", async () => {
    const [first = "", second = ""] = waiting;
    const { presetId } = stage.version;
    const claim = sqlClaim(trx, terms);
    expect(await claim.lockPrebuilds(presetId, { count: 1, except: [] })).toEqual([first]);
    const { db } = stage.needs;
    const setState = (state: string) =>
      // This needs no lock of the workspace.
      sql`update workspace_agents set lifecycle_state = ${state}
        where workspace_build_id = ${buildOf(first)}`.execute(db);
    await setState("off");
    try {
      expect(await claim.claimPrebuilds(presetId, [changeOf(first)])).toEqual(new Set());
      const next = { count: 1, except: [first] };
      expect(await claim.lockPrebuilds(presetId, next)).toEqual([second]);
      const changes = [changeOf(first), changeOf(second)];
      expect(await claim.claimPrebuilds(presetId, changes)).toEqual(new Set([second]));
    } finally {
      await setState("ready");
    }
  });

  it("passes over what another one holds, and waits for nobody", async () => {
    const first = { count: 1, except: [] };
    expect(await sqlClaim(trx, terms).lockPrebuilds(stage.version.presetId, first)).toEqual(
      waiting.slice(0, 1),
    );
    const { db } = stage.needs;
    const other = await db.startTransaction().execute();
    try {
      const claim = sqlClaim(other, terms);
      const { presetId } = stage.version;
      expect(await claim.lockPrebuilds(presetId, first)).toEqual(waiting.slice(1, 2));
      const others = { count: 2, except: waiting.slice(1, 2) };
      expect(await claim.lockPrebuilds(presetId, others)).toEqual(waiting.slice(2));
    } finally {
      await other.rollback().execute();
    }
  });
});
