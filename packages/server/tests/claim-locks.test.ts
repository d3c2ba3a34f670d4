import type { Workspace } from "@slipway/api/workspaces/workspace";
import { connectExternalAgent } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import { insertStats } from "../src/features/agents/stats/stats-rpc.ts";
import { choosePrebuilds } from "../src/features/claims/choose-prebuilds.ts";
import { sqlClaim } from "../src/features/claims/claim-queries.ts";
import { selectReinitViews } from "../src/features/claims/reinit/queries.ts";
import { settingsColumns } from "../src/features/workspaces/queries.ts";
import { hashAgentToken } from "../src/platform/auth/agent-token.ts";
import { holdOpen, type OpenTransaction, waitForBlocked } from "./support/lock-waits.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Person } from "./support/people.ts";
import { claim, fillPool, pushPool, type TestPool } from "./support/pool.ts";

let opened: AsyncDisposableStack;
let server: OpenServer;
let ann: Person;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await openServer(inject("postgresUrl")));
  ann = await addPerson(server, "ann");
});

afterEach(() => opened.disposeAsync());

type Filled = Awaited<ReturnType<typeof fillPool>>[number];

async function openPool(
  count: number,
): Promise<{ readonly pool: TestPool; readonly waiting: readonly Filled[] }> {
  const pool = await pushPool(server, count);
  return { pool, waiting: await fillPool(server, count, opened) };
}

/** Holds open Bob's uncommitted claim, which has a prebuild. */
async function holdClaim(pool: TestPool): Promise<OpenTransaction<string | undefined>> {
  const { user } = await addPerson(server, "bob");
  const settings = {
    automaticUpdates: "never",
    autostart: undefined,
    ttlMs: undefined,
    onDeadline: "stop",
  } as const;
  const owner = {
    ownerId: user.id,
    name: "bobs",
    settings: settingsColumns(settings, pool.template),
  };
  return opened.use(
    await holdOpen(server.db, async (trx) => {
      const trying = sqlClaim(trx, { endsAgents: true, waits: true });
      return (await choosePrebuilds(trying, pool.presetId, [owner]))[0];
    }),
  );
}

const isClaimed = ({ latest_build: { build_number } }: Workspace): boolean => build_number === 2;

it("takes a prebuild to which another transaction only refers, without waiting", async () => {
  const { pool, waiting } = await openPool(1);
  const id = waiting[0]?.workspace.id ?? "";
  opened.use(
    await holdOpen(server.db, (trx) =>
      sql`select from workspaces where id = ${id} for key share`.execute(trx),
    ),
  );
  expect((await claim(ann.client, "mine", pool)).id).toBe(id);
});

it("waits for the only prebuild while its agent reports", async () => {
  const { pool, waiting } = await openPool(1);
  const workspaceId = waiting[0]?.workspace.id ?? "";
  const agentId = waiting[0]?.workspace.latest_build.resources[0]?.agents[0]?.id ?? "";
  const held = opened.use(
    await holdOpen(server.db, (trx) => insertStats(trx, { agentId, workspaceId }, {})),
  );
  const claiming = claim(ann.client, "mine", pool);
  await waitForBlocked(server.db);
  await held.commit();
  expect((await claiming).id).toBe(workspaceId);
});

it("passes over a prebuild that another holds while there is a free one", async () => {
  const { pool, waiting } = await openPool(2);
  const held = await holdClaim(pool);
  const [first, second] = waiting.map(({ workspace }) => workspace.id);
  expect(held.result).toBe(first);
  expect((await claim(ann.client, "mine", pool)).id).toBe(second);
});

it("gets the prebuild of a claim that is undone, and an ordinary build when it is not", async () => {
  const { pool, waiting } = await openPool(1);
  const undone = await holdClaim(pool);
  const claiming = claim(ann.client, "mine", pool);
  await waitForBlocked(server.db);
  await undone.rollBack();
  expect((await claiming).id).toBe(waiting[0]?.workspace.id);

  const [next] = await fillPool(server, 1, opened);
  // Not Ann's own: claims lock their user first, and a commit that needs this lock would wait for her claim.
  const { user: carl } = await addPerson(server, "carl");
  const kept = await holdOpen(server.db, (trx) =>
    trx
      .updateTable("workspaces")
      .set({ owner_id: carl.id, prebuild_preset_id: null })
      .where("id", "=", next?.workspace.id ?? "")
      .execute(),
  );
  opened.use(kept);
  const second = claim(ann.client, "another", pool);
  await waitForBlocked(server.db);
  await kept.commit();
  expect(isClaimed(await second)).toBe(false);
});

it("builds an ordinary workspace when the only prebuild is not given back in time", async () => {
  const { pool } = await openPool(1);
  await holdClaim(pool);
  const workspace = await claim(ann.client, "mine", pool);
  expect(workspace).toMatchObject({ name: "mine", latest_build: { build_number: 1 } });
});

it("knows since when the agent's present session is open, and since when none is", async () => {
  const { pool } = await openPool(1);
  const { id } = await claim(ann.client, "mine", pool);
  const sessions = [];
  for (let count = 0; count < 2; count += 1) {
    const agent = await connectExternalAgent(ann.client, id, "main");
    opened.defer(() => agent.connection.close());
    const hash = hashAgentToken(agent.token);
    const look = async () => {
      const view = (await selectReinitViews(server.db, [hash])).get(hash.toString("hex"));
      if (view?.type !== "live") throw new Error("the token is nobody's");
      return view;
    };
    await expect.poll(async () => (await look()).connectedSinceMs).toBeDefined();
    const open = await look();
    expect(open.disconnectedAtMs).toBeUndefined();
    await agent.connection.close();
    await expect.poll(async () => (await look()).connectedSinceMs).toBeUndefined();
    sessions.push({ from: open.connectedSinceMs ?? 0, to: (await look()).disconnectedAtMs ?? 0 });
  }
  const [first, second] = sessions;
  expect(first?.to).toBeGreaterThanOrEqual(first?.from ?? 0);
  expect(second?.from).toBeGreaterThan(first?.to ?? 0);
  expect(second?.to).toBeGreaterThanOrEqual(second?.from ?? 0);
});
