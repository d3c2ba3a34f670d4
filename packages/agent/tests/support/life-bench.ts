import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { silentLogger, systemClock } from "@slipway/runtime";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import { Agent, Lifecycle_State, Log_Level } from "@slipway/wire/protobuf/gen/agent_pb";
import type { ManifestSchema } from "@slipway/wire/protobuf/gen/agent_pb";
import { durationFromMs } from "@slipway/wire/protobuf/time";
import { afterAll } from "vitest";

import { ScriptRunner } from "../../src/scripts/script-runner.ts";
import { AgentLife } from "../../src/session/agent-life.ts";
import type { AgentLifeOptions } from "../../src/session/agent-life.ts";
import { decide } from "../../src/session/reinit/identity.ts";
import { ScriptedServer } from "./scripted-server.ts";

/** The agents' home directory, which contains their data. */
export const folder = mkdtempSync(join(tmpdir(), "slipway-session-"));
afterAll(() => rmSync(folder, { recursive: true }));

const id = encodeUuid("00112233-4455-6677-8899-aabbccddeeff");
type ManifestFields = MessageInitShape<typeof ManifestSchema>;

/** An agent's life against a scripted server. */
export interface LifeBench {
  readonly server: ScriptedServer;
  /** The lines stored by the server, with their levels, and the states. */
  readonly stored: {
    readonly lines: string[];
    readonly states: string[];
    readonly timings: string[];
  };
  /** Asks the agent to end. */
  readonly interrupt: () => void;
  /** Ends the agent immediately. */
  readonly force: () => void;
  readonly ended: Promise<void>;
}

/** An agent's machine, with a shell and this machine's programs. */
export function machine(): AgentLifeOptions["machine"] {
  return {
    token: () => "token",
    user: { name: "u", home: folder, shell: "/bin/sh" },
    home: folder,
    environment: { PATH: process.env["PATH"] },
    binDirectory: join(folder, "bin"),
    inside: {
      serverUrl: "http://slipway.test",
      socketPath: undefined,
      commandDirectory: undefined,
    },
  };
}

/** Starts the life of an agent whose manifest has these fields. */
export function openLifeBench(
  manifest: ManifestFields,
  options: Partial<AgentLifeOptions> = {},
): LifeBench {
  const server = new ScriptedServer();
  const stored: LifeBench["stored"] = { lines: [], states: [], timings: [] };
  server.on(Agent.method.getManifest, () => ({ agentId: id, workspaceId: id, ...manifest }));
  server.on(Agent.method.updateStartup, ({ startup }) => startup ?? {});
  server.on(Agent.method.updateLifecycle, ({ lifecycle }) => {
    stored.states.push(nameOf(Lifecycle_State, lifecycle?.state));
    return lifecycle ?? {};
  });
  server.on(Agent.method.batchCreateLogs, ({ logs }) => {
    stored.lines.push(...logs.map(({ level, output }) => `${nameOf(Log_Level, level)}: ${output}`));
    return {};
  });
  server.on(Agent.method.scriptCompleted, ({ timing }) => {
    stored.timings.push(`${timing?.stage} ${timing?.status} ${timing?.exitCode}`);
    return {};
  });
  server.on(Agent.method.updateStats, () => ({ reportInterval: durationFromMs(30_000) }));
  const interrupted = Promise.withResolvers<void>();
  const forced = new AbortController();
  const dataDir = mkdtempSync(join(folder, "data-"));
  const life = new AgentLife({
    dial: async () => server.connect(),
    waitForReinit: async () => ({ kind: "not-a-prebuild", message: "no" }),
    decide,
    network: undefined,
    openSocket: undefined,
    containers: undefined,
    endStrays: async () => [],
    keepRun: async () => true,
    openScripts: ({ manifest: { scripts }, host, onCompleted }) =>
      new ScriptRunner(scripts, host, onCompleted),
    serverUrl: "http://localhost",
    machine: machine(),
    directories: { dataDir, logDir: dataDir },
    subsystems: [],
    clock: systemClock,
    logger: silentLogger,
    random: () => 0,
    ...options,
  });
  return {
    server,
    stored,
    interrupt: () => interrupted.resolve(),
    force: () => forced.abort(),
    ended: life.run({ interrupted: interrupted.promise, forced: forced.signal }),
  };
}

/** Returns the name of an enum's number. */
export function nameOf(names: Readonly<Record<string, number>>, value = 0): string {
  return Object.keys(names).find((name) => names[name] === value) ?? "";
}
