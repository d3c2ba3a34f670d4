import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { Agent, Log_Level } from "@slipway/wire/protobuf/gen/agent_pb";
import { timestampFromMs } from "@slipway/wire/protobuf/time";
import { afterEach, beforeEach, expect, it } from "vitest";

import { AgentRpcWorld } from "./support/agent-rpc-world.ts";

/* The RPCs with which an agent sends logs. */

const at = timestampFromMs(1_700_000_000_123);

let world: AgentRpcWorld;

beforeEach(async () => {
  world = await AgentRpcWorld.open();
});

afterEach(() => world[Symbol.asyncDispose]());

it("stores a batch of logs once, however often it comes", async () => {
  const logs = ["one", "two\0"].map((output, index) => ({
    output,
    level: Log_Level.WARN,
    createdAt: timestampFromMs(index + 1),
  }));
  const batch = { logSourceId: encodeUuid(world.seed.sourceId), logs };
  expect(await world.call(Agent.method.batchCreateLogs, batch)).toMatchObject({
    logLimitExceeded: false,
  });
  await world.call(Agent.method.batchCreateLogs, batch);
  const rows = await world.database.db
    .selectFrom("workspace_agent_logs")
    .selectAll()
    .orderBy("id")
    .execute();
  expect(rows).toMatchObject([
    { id: 1, output: "one", level: "warn", log_source_id: world.seed.sourceId },
    { id: 2, output: "two❌", level: "warn" },
  ]);
});

it("makes the external source when it is needed", async () => {
  const far = { seconds: 2n ** 62n, nanos: 0 };
  await world.call(Agent.method.batchCreateLogs, {
    logs: [{ output: "a", createdAt: { ...at, ...far } }],
  });
  await world.call(Agent.method.batchCreateLogs, {
    logSourceId: new Uint8Array(16),
    logs: [{ output: "b" }],
  });
  const sources = await world.database.db
    .selectFrom("workspace_agent_log_sources")
    .where("display_name", "=", "External")
    .select("id")
    .execute();
  expect(sources).toEqual([{ id: "3b579bf4-1ed8-4b99-87a8-e9a1e3410410" }]);
});

it("takes logs past the limit, keeps the newest and never tells the agent to stop", async () => {
  const send = (firstNs: number) =>
    world.call(Agent.method.batchCreateLogs, {
      logs: Array.from({ length: 700 }, (_, line) => ({
        output: "a".repeat(1024),
        createdAt: { ...at, nanos: firstNs + line },
      })),
    });
  for (const firstNs of [1000, 2000, 3000]) {
    expect(await send(firstNs)).toMatchObject({ logLimitExceeded: false });
  }
  expect(await world.call(Agent.method.batchCreateLogs, {})).toMatchObject({
    logLimitExceeded: false,
  });
  const position = world.database.db.selectFrom("workspace_agent_log_positions").selectAll();
  expect(await position.executeTakeFirst()).toMatchObject({ last_id: 2100, overflowed: true });
  const log = `agent-logs:${world.seed.agent.agentId}`;
  // With the second batch, the agent's JSON reports missing lines.
  expect(world.published).toEqual([log, log, `workspace:${world.seed.agent.workspaceId}`, log]);
});

it("refuses a batch of too many lines", async () => {
  const logs = Array.from({ length: 65_537 }, () => ({ output: "" }));
  await expect(world.call(Agent.method.batchCreateLogs, { logs })).rejects.toThrow(
    "batch has too many lines, at most 65536 are taken",
  );
});

it("takes boundary logs up to a number", async () => {
  const httpRequest = { method: "GET", url: "https://example.com" };
  const log = { allowed: true, resource: { case: "httpRequest", value: httpRequest } } as const;
  await world.call(Agent.method.reportBoundaryLogs, { logs: [log] });
  const logs = Array.from({ length: 1001 }, () => log);
  await expect(world.call(Agent.method.reportBoundaryLogs, { logs })).rejects.toThrow(
    "1001 entries",
  );
});
