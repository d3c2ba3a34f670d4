import { randomUUID } from "node:crypto";

import { encodeUuid, parseUuid } from "@slipway/wire/bytes/uuid";
import {
  Agent,
  Lifecycle_State,
  Startup_Subsystem,
  Timing_Stage,
  Timing_Status,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { timestampFromMs } from "@slipway/wire/protobuf/time";
import { afterEach, beforeEach, expect, it } from "vitest";

import { markConnected } from "../src/features/agents/connections/connection-queries.ts";
import { AgentRpcWorld, pathOf } from "./support/agent-rpc-world.ts";

/* The RPCs with which an agent starts and reports its lifecycle. */

const at = timestampFromMs(1_700_000_000_123);

let world: AgentRpcWorld;

beforeEach(async () => {
  world = await AgentRpcWorld.open();
});

afterEach(() => world[Symbol.asyncDispose]());

it("answers every RPC of the service but the one that agents do without", () => {
  const missing = Agent.methods.filter((method) => world.rpcs.get(pathOf(method)) === undefined);
  expect(missing.map(({ name }) => name)).toEqual(["PushContextState"]);
});

it("gives the agent its manifest", async () => {
  const manifest = await world.call(Agent.method.getManifest, {});
  expect(parseUuid(manifest.agentId)).toBe(world.seed.agent.agentId);
  expect(manifest).toMatchObject({
    agentName: "main",
    ownerUsername: "ann",
    workspaceName: "dev",
    environmentVariables: { A: "1" },
    gitAuthConfigs: 2,
    vsCodePortProxyUri: "",
    scripts: [{ displayName: "Start" }],
    apps: [{ slug: "plain" }, { slug: "web" }],
    metadata: [{ key: "cpu", interval: { nanos: 10 } }],
  });
});

it("notes what the agent is", async () => {
  const { ENVBOX, EXECTRACE } = Startup_Subsystem;
  const startup = {
    version: "v2.35.1",
    expandedDirectory: "/home/ann\0",
    subsystems: [EXECTRACE, ENVBOX, EXECTRACE],
  };
  expect(await world.call(Agent.method.updateStartup, { startup })).toMatchObject(startup);
  expect(await world.agentRow()).toMatchObject({
    version: "v2.35.1",
    expanded_directory: "/home/ann",
    subsystems: ["envbox", "exectrace"],
    api_version: "2.10",
  });
  await expect(
    world.call(Agent.method.updateStartup, {
      startup: { ...startup, subsystems: [Startup_Subsystem.UNSPECIFIED] },
    }),
  ).rejects.toThrow("subsystem: unknown value 0");
  await expect(world.call(Agent.method.updateStartup, {})).rejects.toThrow("startup is missing");
});

it("keeps when the start scripts began and ended", async () => {
  const report = (state: Lifecycle_State, ms: number) =>
    world.call(Agent.method.updateLifecycle, {
      lifecycle: { state, changedAt: timestampFromMs(ms) },
    });
  await report(Lifecycle_State.STARTING, 1000);
  expect(await world.agentRow()).toMatchObject({
    lifecycle_state: "starting",
    started_at: "1970-01-01T00:00:01Z",
    ready_at: null,
  });
  await report(Lifecycle_State.READY, 2000.5);
  const ready = { started_at: "1970-01-01T00:00:01Z", ready_at: "1970-01-01T00:00:02.0005Z" };
  expect(await world.agentRow()).toMatchObject({ lifecycle_state: "ready", ...ready });
  await report(Lifecycle_State.OFF, 3000);
  expect(await world.agentRow()).toMatchObject({ lifecycle_state: "off", ...ready });
  await report(Lifecycle_State.STARTING, 4000);
  expect(await world.agentRow()).toMatchObject({
    started_at: "1970-01-01T00:00:04Z",
    ready_at: null,
  });
  await expect(report(0, 0)).rejects.toThrow("unknown value 0");
  expect(world.published).toEqual(
    Array.from({ length: 4 }, () => `workspace:${world.seed.agent.workspaceId}`),
  );
});

it("does not go back to what an older session says late; the newest one may, with a clock set back", async () => {
  const report = (state: Lifecycle_State, ms: number) =>
    world.call(Agent.method.updateLifecycle, {
      lifecycle: { state, changedAt: timestampFromMs(ms) },
    });
  const { agentId, authenticatedAt } = world.seed.agent;
  const { connectionId } = world.caller;
  const session = { agentId, authenticatedAt, connectionId, replicaId: randomUUID() };
  await markConnected(world.database.db, session);
  await report(Lifecycle_State.STARTING, 1000);
  await report(Lifecycle_State.READY, 2000);
  const { lifecycle_state, started_at, ready_at } = await world.agentRow();
  await markConnected(world.database.db, { ...session, connectionId: randomUUID() });
  for (const [state, ms] of [
    [Lifecycle_State.STARTING, 1000],
    [Lifecycle_State.STARTING, 500],
    [Lifecycle_State.READY, 2000],
  ] as const) {
    await report(state, ms);
    expect(await world.agentRow()).toMatchObject({ lifecycle_state, started_at, ready_at });
  }
  // A report with a new time does count: a session is recorded only once it is already calling.
  await report(Lifecycle_State.OFF, 2000);
  expect(await world.agentRow()).toMatchObject({ lifecycle_state: "off" });
  await report(Lifecycle_State.READY, 2000);
  expect(await world.agentRow()).toMatchObject({ lifecycle_state: "off" });
  await markConnected(world.database.db, session);
  await report(Lifecycle_State.STARTING, 500);
  expect(await world.agentRow()).toMatchObject({ lifecycle_state: "starting", ready_at: null });
});

it("takes the server's time for a state that has none", async () => {
  await world.call(Agent.method.updateLifecycle, { lifecycle: { state: Lifecycle_State.READY } });
  const { ready_at } = await world.agentRow();
  expect(Date.now() - Date.parse(ready_at ?? "")).toBeLessThan(60_000);
});

it("keeps how scripts ended, by start", async () => {
  const timing = {
    scriptId: encodeUuid(world.seed.scriptId),
    start: at,
    end: timestampFromMs(1_700_000_001_000),
    exitCode: -1,
    stage: Timing_Stage.START,
    status: Timing_Status.EXIT_FAILURE,
  };
  await world.call(Agent.method.scriptCompleted, { timing });
  await world.call(Agent.method.scriptCompleted, { timing: { ...timing, exitCode: 2 } });
  const hint = `workspace:${world.seed.agent.workspaceId}`;
  expect(world.published).toEqual([hint, hint]);
  const rows = await world.database.db
    .selectFrom("workspace_agent_script_timings")
    .selectAll()
    .execute();
  expect(rows).toMatchObject([
    {
      exit_code: 2,
      stage: "start",
      status: "exit_failure",
      started_at: "2023-11-14T22:13:20.123Z",
    },
  ]);
  await expect(
    world.call(Agent.method.scriptCompleted, {
      timing: { ...timing, scriptId: encodeUuid(randomUUID()) },
    }),
  ).rejects.toThrow("agent has no script");
  await expect(
    world.call(Agent.method.scriptCompleted, { timing: { ...timing, end: timestampFromMs(0) } }),
  ).rejects.toThrow("is after end");
});
