import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";

import { Scope } from "@slipway/runtime";

import type { BystanderData, BystanderMessage } from "./bystander-thread.ts";
import { castNames } from "./casts.ts";
import { diskOf, memoryOf, quantile } from "./measure.ts";
import type { HostileOptions, HostileOutcome, Interval } from "./options.ts";
import { runCast } from "./run-cast.ts";
import { Scoreboard } from "./scoreboard.ts";
import { type HostileStage, openHostileStage } from "./stage.ts";
import { tokenOf } from "./target.ts";
import { judgeHostileRun } from "./verdict.ts";

/** The interval at which the turns of the server's event loop are read; turns arrive with a delay. */
const readTurnsMs = 1_000;

/**
 * Plays all tricks of the groups repeatedly against a real server, while a member and their agent work and are timed.
 * Throws when the stage cannot be set up and when the server exits.
 */
export async function runHostile(options: HostileOptions): Promise<HostileOutcome> {
  await using stage = await openHostileStage();
  // Turns during the start do not count.
  await pause(readTurnsMs);
  stage.turns.take();
  const scoreboard = new Scoreboard();
  const latencies: number[] = [];
  const turns = { longestMs: 0 };
  await using scope = new Scope();
  scope.run((signal) => watchBystander(stage, latencies, scoreboard, signal));
  for (const cast of options.casts ?? castNames) {
    scope.run((signal) => runCast(cast, stage, scoreboard, signal));
  }
  scope.run(async (signal) => {
    for (;;) {
      await pause(readTurnsMs, undefined, { signal });
      for (const ms of stage.turns.take()) {
        turns.longestMs = Math.max(turns.longestMs, ms);
        scoreboard.turn(ms);
      }
    }
  });
  const crash = stage.server.exited.then((): never => {
    throw new Error(`the server exited:\n${stage.server.output().slice(-4_000)}`);
  });
  crash.catch(() => undefined);
  const measured = measureAll(stage, options, { latencies, scoreboard, turns }, scope.signal);
  const intervals = await Promise.race([measured, scope.failed, crash]);
  const [p50Ms, p99Ms] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  const worstMs = quantile(latencies, 1);
  const { faults } = scoreboard;
  const violations = judgeHostileRun({ intervals, faults, p99Ms, worstMs });
  return { intervals, faults, violations, p50Ms, p99Ms, worstMs };
}

/** Runs the bystander in a thread and collects its messages. Rejects when it fails. */
async function watchBystander(
  { server, bystander: { client, workspace } }: HostileStage,
  latencies: number[],
  scoreboard: Scoreboard,
  signal: AbortSignal,
): Promise<void> {
  const workerData: BystanderData = {
    serverUrl: server.url,
    token: tokenOf(client),
    workspaceId: workspace.id,
  };
  const thread = new Worker(new URL("./bystander-thread.ts", import.meta.url), {
    workerData,
    execArgv: ["--conditions=@slipway/source"],
  });
  thread.on("message", (message: BystanderMessage) => {
    if (message.type === "took") latencies.push(message.ms);
    else scoreboard.fault(message.text);
  });
  const end = (): void => void thread.terminate();
  signal.addEventListener("abort", end, { once: true });
  await once(thread, "exit");
}

interface Measurements {
  readonly latencies: readonly number[];
  readonly scoreboard: Scoreboard;
  /** The longest turn since the last measurement; measuring resets it. */
  readonly turns: { longestMs: number };
}

async function measureAll(
  { server, dataDir }: HostileStage,
  { durationMs, intervalMs, onInterval }: HostileOptions,
  { latencies, scoreboard, turns }: Measurements,
  signal: AbortSignal,
): Promise<readonly Interval[]> {
  const intervals: Interval[] = [];
  const began = performance.now();
  let counted = 0;
  for (let atMs = 0; atMs < durationMs;) {
    await pause(Math.min(intervalMs, durationMs - atMs), undefined, { signal });
    atMs = performance.now() - began;
    const recent = latencies.slice(counted);
    counted += recent.length;
    const interval: Interval = {
      atMs,
      p50Ms: quantile(recent, 0.5),
      p99Ms: quantile(recent, 0.99),
      worstMs: quantile(recent, 1),
      requests: recent.length,
      longestTurnMs: turns.longestMs,
      memoryBytes: await memoryOf(server.pid),
      diskBytes: await diskOf(dataDir),
      tricks: scoreboard.counts,
    };
    turns.longestMs = 0;
    intervals.push(interval);
    onInterval(interval);
  }
  return intervals;
}
