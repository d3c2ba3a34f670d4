import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";

import { RpcError } from "@slipway/rpc";
import { systemClock } from "@slipway/runtime";
import { DialError } from "@slipway/sdk/agent";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { Agent, Lifecycle_State } from "@slipway/wire/protobuf/gen/agent_pb";
import { metadataDuration, timestampToNs } from "@slipway/wire/protobuf/time";
import { describe, expect, it } from "vitest";

import { isAlive } from "../../tests/support/command-host.ts";
import {
  folder,
  type LifeBench,
  machine,
  nameOf,
  openLifeBench,
} from "../../tests/support/life-bench.ts";
import { ProcessError } from "../process/errors.ts";
import type { AgentLifeOptions } from "./agent-life.ts";

const id = encodeUuid("00112233-4455-6677-8899-aabbccddeeff");
const stopId = encodeUuid("00112233-4455-6677-8899-aabbccddee00");
const startScript = { id, logSourceId: id, runOnStart: true };
const stopScript = { id: stopId, logSourceId: stopId, runOnStop: true };

describe("AgentLife", () => {
  it("lives from its start scripts to its stop scripts", async () => {
    const run = openLifeBench({
      scripts: [
        { ...startScript, script: "echo hello" },
        { ...stopScript, script: "echo bye" },
      ],
    });
    await expect.poll(() => run.stored.states).toEqual(["STARTING", "READY"]);
    expect(run.stored.lines).toEqual(["INFO: hello"]);
    run.interrupt();
    await run.ended;
    expect(run.stored.states).toEqual(["STARTING", "READY", "SHUTTING_DOWN", "OFF"]);
    expect(run.stored.lines).toEqual(["INFO: hello", "INFO: bye"]);
    expect(run.stored.timings).toEqual(["0 0 0", "1 0 0"]);
  });

  it("reports that it is ready once the server has the lines before, for readers who wait for it", async () => {
    const run = openLifeBench({ scripts: [{ ...startScript, script: "echo hello" }] });
    const steps: string[] = [];
    run.server.on(Agent.method.batchCreateLogs, async ({ logs }) => {
      for (let turn = 0; turn < 5; turn += 1) await setImmediate();
      steps.push(...logs.map(({ output }) => output));
      return {};
    });
    run.server.on(Agent.method.updateLifecycle, ({ lifecycle }) => {
      steps.push(nameOf(Lifecycle_State, lifecycle?.state));
      return lifecycle ?? {};
    });
    await expect.poll(() => steps).toEqual(["STARTING", "hello", "READY"]);
    run.interrupt();
    await run.ended;
  });

  it("starts its schedules after the start scripts, and ends them before the stop scripts", async () => {
    const steps: string[] = [];
    const note = (step: string): Promise<"ok"> => {
      steps.push(step);
      return Promise.resolve("ok");
    };
    const openScripts: AgentLifeOptions["openScripts"] = () => ({
      start: () => note("start"),
      startSchedules: () => void note("schedules"),
      close: async () => void note("close"),
      stop: () => note("stop"),
    });
    const run = openLifeBench({}, { openScripts });
    await expect.poll(() => run.stored.states).toEqual(["STARTING", "READY"]);
    run.interrupt();
    await run.ended;
    expect(steps).toEqual(["start", "schedules", "close", "stop"]);
  });

  it.each([
    [1, ["INFO: 6"]],
    [0, ["INFO: 0"]],
  ])(
    "has set up the editors before its scripts run, for %i providers of git",
    async (count, lines) => {
      const home = mkdtempSync(join(folder, "home-"));
      const script = `find ${home} -name settings.json | wc -l`;
      const run = openLifeBench(
        { gitAuthConfigs: count, scripts: [{ ...startScript, script }] },
        { machine: { ...machine(), home } },
      );
      await expect.poll(() => run.stored.lines).toEqual(lines);
      run.interrupt();
      await run.ended;
    },
  );

  it("says what it is in a version that a stock server takes", async () => {
    const run = openLifeBench({ directory: "~/src" });
    const startups: unknown[] = [];
    run.server.on(Agent.method.updateStartup, ({ startup }) => {
      startups.push(startup?.version, startup?.expandedDirectory);
      return startup ?? {};
    });
    await expect.poll(() => run.stored.states).toContain("READY");
    run.interrupt();
    await run.ended;
    expect(startups[0]).toMatch(/^v\d+\.\d+\.\d+\+[0-9A-Za-z.]+$/);
    expect(startups[1]).toBe(join(folder, "src"));
  });

  it("sends the batch whose answer was lost again as it was, and runs no script twice", async () => {
    const run = openLifeBench({
      scripts: [{ ...startScript, script: "echo a; echo b; read x < /dev/null" }],
    });
    const batches: string[] = [];
    run.server.on(Agent.method.batchCreateLogs, ({ logs }) => {
      batches.push(logs.map((log) => `${timestampToNs(log.createdAt)} ${log.output}`).join());
      if (batches.length > 1) return {};
      run.server.connections[0]?.lose("broken");
      return new Promise(() => undefined);
    });
    await expect.poll(() => run.stored.states).toContain("START_ERROR");
    run.interrupt();
    await run.ended;
    expect(run.server.connections.length).toBeGreaterThan(1);
    expect(batches[1]).toBe(batches[0]);
    const lines = batches.slice(1).flatMap((batch) => batch.split(","));
    expect(lines.map((line) => line.split(" ")[1])).toEqual(["a", "b", "script"]);
    expect(run.server.called.filter((name) => name === "GetManifest").length).toBeGreaterThan(1);
    expect(run.stored.timings).toEqual(["0 1 1"]);
  });

  it("reports each state once and in order over a refused report", async () => {
    const run = openLifeBench({});
    let refusals = 2;
    run.server.on(Agent.method.updateLifecycle, ({ lifecycle }) => {
      const state = lifecycle?.state ?? 0;
      if (state === Lifecycle_State.READY && refusals > 0) {
        refusals -= 1;
        throw new RpcError("forbidden");
      }
      run.stored.states.push(nameOf(Lifecycle_State, state));
      return lifecycle ?? {};
    });
    await expect.poll(() => run.stored.states).toEqual(["STARTING", "READY"]);
    run.interrupt();
    await run.ended;
    expect(run.server.connections).toHaveLength(3);
    expect(run.stored.states).toEqual(["STARTING", "READY", "SHUTTING_DOWN", "OFF"]);
  });

  it("collects metadata and reports it", async () => {
    const item = {
      key: "k",
      script: "echo v",
      interval: metadataDuration(10),
      timeout: metadataDuration(30),
    };
    const run = openLifeBench({ metadata: [item] });
    const values: string[] = [];
    run.server.on(Agent.method.batchUpdateMetadata, ({ metadata }) => {
      values.push(...metadata.map(({ key, result }) => `${key}=${result?.value}`));
      return {};
    });
    await expect.poll(() => values).toEqual(["k=v\n"]);
    run.interrupt();
    await run.ended;
  });

  it("keeps a server's connection that does not know some calls", async () => {
    const run = openLifeBench({ metadata: [{ key: "k", script: "true" }] });
    await expect.poll(() => run.server.called).toContain("BatchUpdateMetadata");
    await expect.poll(() => run.server.called).toContain("GetResourcesMonitoringConfiguration");
    run.interrupt();
    await run.ended;
    expect(run.server.connections).toHaveLength(1);
    expect(run.stored.states.at(-1)).toBe("OFF");
  });

  it("reports a failed start with its reason where there is no shell", async () => {
    const run = openLifeBench(
      { scripts: [{ ...startScript, script: "true" }] },
      {
        machine: {
          token: () => "token",
          user: new ProcessError("no-shell", "no shell anywhere"),
          home: folder,
          environment: {},
          binDirectory: folder,
          inside: {
            serverUrl: "http://slipway.test",
            socketPath: undefined,
            commandDirectory: undefined,
          },
        },
      },
    );
    await expect.poll(() => run.stored.states).toEqual(["STARTING", "START_ERROR"]);
    expect(run.stored.lines).toEqual(["ERROR: no shell anywhere"]);
    run.interrupt();
    await run.ended;
  });

  it("ends running start scripts, and then what scripts left in the background", async () => {
    const text = "sleep 1000 >/dev/null 2>&1 & echo $!; exec sleep 1000";
    const run = openLifeBench({ scripts: [{ ...startScript, script: text }] });
    await expect.poll(() => run.stored.lines).toHaveLength(1);
    const background = Number(run.stored.lines[0]?.replace("INFO: ", ""));
    expect(isAlive(background)).toBe(true);
    run.interrupt();
    await run.ended;
    expect(isAlive(background)).toBe(false);
    expect(run.stored.states).toEqual(["STARTING", "SHUTTING_DOWN", "OFF"]);
    expect(run.stored.timings).toEqual(["0 1 -1"]);
  });

  it("sends its last words over a new connection when the old one is lost", async () => {
    const run = openLifeBench({ scripts: [{ ...stopScript, script: "echo bye" }] });
    await expect.poll(() => run.stored.states).toContain("READY");
    run.server.on(Agent.method.updateLifecycle, ({ lifecycle }) => {
      const state = nameOf(Lifecycle_State, lifecycle?.state);
      run.stored.states.push(state);
      if (state === "SHUTTING_DOWN") run.server.connections[0]?.lose("restarted");
      return lifecycle ?? {};
    });
    run.interrupt();
    await run.ended;
    expect(run.server.connections).toHaveLength(2);
    expect(run.stored.states.at(-1)).toBe("OFF");
    expect(run.stored.lines).toEqual(["INFO: bye"]);
  });

  it("does not wait for a server that is gone", async () => {
    let dials = 0;
    const dial: AgentLifeOptions["dial"] = async () => {
      dials += 1;
      if (run.stored.states.length > 0) throw new Error("nobody there");
      return run.server.connect();
    };
    // Anything that takes seconds takes forever here.
    const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
      systemClock.sleep(ms < 1_000 ? ms : 1e9, signal);
    const clock = { ...systemClock, sleep };
    const run: LifeBench = openLifeBench(
      { scripts: [{ ...stopScript, script: "echo bye" }] },
      { dial, clock },
    );
    await expect.poll(() => run.stored.states).toContain("READY");
    run.server.connections[0]?.lose("stopped");
    await expect.poll(() => dials).toBeGreaterThan(1);
    run.interrupt();
    await run.ended;
    expect(run.stored.states.at(-1)).toBe("READY");
  });

  /** A life whose server is lost during its stop script, and whose dials fail as `fail` returns. */
  async function openRestart(fail: (count: number) => Error | undefined) {
    let isLost = false;
    let dials = 0;
    const dial: AgentLifeOptions["dial"] = async () => {
      const error = isLost ? fail((dials += 1)) : undefined;
      if (error !== undefined) throw error;
      return run.server.connect();
    };
    // Waits between dials pass immediately, in order; the time limit of the end never passes.
    const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
      systemClock.sleep(ms < 5_000 ? ms / 100 : 1e9, signal);
    const scripts = [{ ...stopScript, script: "echo bye" }];
    const run: LifeBench = openLifeBench({ scripts }, { dial, clock: { ...systemClock, sleep } });
    await expect.poll(() => run.stored.states).toContain("READY");
    run.server.on(Agent.method.updateLifecycle, ({ lifecycle }) => {
      const state = nameOf(Lifecycle_State, lifecycle?.state);
      run.stored.states.push(state);
      if (state === "SHUTTING_DOWN" && !isLost) {
        isLost = true;
        run.server.connections[0]?.lose("restarting");
      }
      return lifecycle ?? {};
    });
    run.interrupt();
    await run.ended;
    return { stored: run.stored, dials };
  }

  it("sends its last words to a server that is back after some dials", async () => {
    const { stored, dials } = await openRestart((count) =>
      count < 5 ? new Error("nobody there") : undefined,
    );
    expect(dials).toBe(5);
    expect(stored.states.at(-1)).toBe("OFF");
    expect(stored.lines).toEqual(["INFO: bye"]);
  });

  it("does not wait for a server that is back and refuses it", async () => {
    const { stored } = await openRestart(
      () => new DialError("authentication", "the workspace is gone", { status: 401 }),
    );
    expect(stored.lines).toEqual([]);
  });

  it("ends at once when it is forced, and kills its scripts", async () => {
    const run = openLifeBench({
      scripts: [{ ...stopScript, script: "echo $$; trap '' HUP; while :; do sleep 1; done" }],
    });
    await expect.poll(() => run.stored.states).toContain("READY");
    run.interrupt();
    await expect.poll(() => run.stored.lines).toHaveLength(1);
    const pid = Number(run.stored.lines[0]?.replace("INFO: ", ""));
    run.force();
    await run.ended;
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it("ends without a word when it never had a manifest", async () => {
    const dial = async (): Promise<never> => {
      throw new Error("nobody there");
    };
    const run = openLifeBench({}, { dial });
    run.interrupt();
    await run.ended;
    expect(run.server.called).toEqual([]);
  });
});
