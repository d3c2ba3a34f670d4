import { getWorkspace } from "@slipway/api/workspaces/routes";
import { connectExternalAgent, type ExternalAgent, requireAgent } from "@slipway/testkit";
import { Agent, Lifecycle_State } from "@slipway/wire/protobuf/gen/agent_pb";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { updateAgentStartup } from "../src/features/agents/lifecycle/startup-rpc.ts";
import { selectReinitViews } from "../src/features/claims/reinit/queries.ts";
import { hashAgentToken } from "../src/platform/auth/agent-token.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";
import {
  becomeReady,
  claim,
  connectAgents,
  fillPool,
  pushPool,
  report,
  waitForPrebuilds,
} from "./support/pool.ts";
import { openReinit } from "./support/reinit.ts";

const { STARTING, READY, SHUTTING_DOWN, OFF } = Lifecycle_State;
const hourMs = 3_600_000;
/** The versions reported by Coder's agents and ours. */
const stockVersion = "v2.35.1";
const ownVersion = "v2.37.0+slipway.0.1.0";

let opened: AsyncDisposableStack;
let server: OpenServer;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await openServer(inject("postgresUrl")));
});

afterEach(() => opened.disposeAsync());

interface Claimed {
  readonly agent: ExternalAgent;
  readonly client: Client;
  readonly workspaceId: string;
  /** Times by the clock of the agent's machine: shortly before the claim, and now. */
  readonly beforeMs: number;
  readonly now: () => number;
}

/**
 * Opens Ann's workspace, whose agent ran before she claimed it, and has reconnected since; it has not been told of the
 * claim.
 */
async function openClaimed(version: string, clockAheadMs = 0): Promise<Claimed> {
  const pool = await pushPool(server, 1);
  const [waiting] = await waitForPrebuilds(server, 1);
  for (const agent of await connectAgents(server, waiting?.id ?? "")) {
    opened.defer(() => agent.connection.close());
    await becomeReady(agent, clockAheadMs);
  }
  const { client } = await addPerson(server, "ann");
  const now = (): number => Date.now() + clockAheadMs;
  const beforeMs = now() - 500;
  const { id: workspaceId } = await claim(client, "mine", pool);
  const agent = await connectExternalAgent(client, workspaceId, "main");
  opened.defer(() => agent.connection.close());
  const startup = { version, expandedDirectory: "/", subsystems: [] };
  const signal = AbortSignal.timeout(10_000);
  await agent.connection.unary(Agent.method.updateStartup, { startup }, signal);
  return { agent, client, workspaceId, beforeMs, now };
}

async function isOwed({ agent }: Claimed): Promise<boolean | undefined> {
  const hash = hashAgentToken(agent.token);
  const view = (await selectReinitViews(server.db, [hash])).get(hash.toString("hex"));
  return view?.type === "live" ? view.isOwed : undefined;
}

it("tells a stock agent that restarted before the claim, however late it reports that", async () => {
  const claimed = await openClaimed(stockVersion);
  const { agent, client, workspaceId, beforeMs } = claimed;
  await report(agent, STARTING, beforeMs);
  await report(agent, READY);
  const workspace = await client.call(getWorkspace, { params: { workspace: workspaceId } });
  expect(requireAgent(workspace).lifecycle_state).toBe("created");
  expect(await isOwed(claimed)).toBe(true);
  const stream = opened.use(await openReinit(server.url, agent));
  expect(stream.status).toBe(200);
  expect(await stream.rest()).toContain("prebuild_claimed");
  // It restarts, and its reports of that acknowledge the reinit.
  for (const state of [SHUTTING_DOWN, OFF]) await report(agent, state);
  await becomeReady(agent);
  expect(await isOwed(claimed)).toBe(false);
  expect((await openReinit(server.url, agent)).status).toBe(409);
});

describe.each([
  ["right", 0],
  ["an hour ahead", hourMs],
  ["an hour behind", -hourMs],
])("an agent whose clock is %s", (_what, clockAheadMs) => {
  it("has begun its new life when it says so, and not by what it says of the one before", async () => {
    const claimed = await openClaimed(stockVersion, clockAheadMs);
    await report(claimed.agent, STARTING, claimed.beforeMs);
    expect(await isOwed(claimed)).toBe(true);
    await report(claimed.agent, STARTING, claimed.now());
    expect(await isOwed(claimed)).toBe(false);
  });
});

it("has begun its new life after it was seen to end the one before, whatever its clock says", async () => {
  const claimed = await openClaimed(stockVersion);
  const { agent } = claimed;
  const stream = opened.use(await openReinit(server.url, agent));
  await stream.rest();
  await report(agent, SHUTTING_DOWN);
  await report(agent, STARTING, Date.now() - hourMs);
  expect(await isOwed(claimed)).toBe(false);
});

it("believes an agent that decides by identity, whose clock was set back meanwhile", async () => {
  const claimed = await openClaimed(ownVersion);
  await report(claimed.agent, STARTING, Date.now() - hourMs);
  expect(await isOwed(claimed)).toBe(false);
});

it("lets no agent begin its life as a row that a claim is ending", async () => {
  await pushPool(server, 1);
  const [filled] = await fillPool(server, 1, opened);
  const [main] = filled?.workspace.latest_build.resources[0]?.agents ?? [];
  const id = main?.id ?? "";
  const held = opened.use(
    await holdOpen(server.db, (trx) =>
      trx.updateTable("workspace_agents").set({ deleted: true }).where("id", "=", id).execute(),
    ),
  );
  const startup = { version: "v1", expandedDirectory: "/", subsystems: [], apiVersion: "2.10" };
  const agent = { agentId: id, authenticatedAt: new Date().toISOString() };
  const isStored = updateAgentStartup(server.db, agent, startup);
  await waitForBlocked(server.db);
  await held.commit();
  expect(await isStored).toBe(false);
});
