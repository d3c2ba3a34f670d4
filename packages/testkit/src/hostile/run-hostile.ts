import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";

import { errorText, Scope } from "@slipway/runtime";

import { agentTricks, type Trick } from "./agent-tricks.ts";
import type { BystanderData, BystanderMessage } from "./bystander-thread.ts";
import { diskOf, memoryOf, quantile } from "./measure.ts";
import { memberTricks } from "./member-tricks.ts";
import type { HostileOptions, HostileOutcome, Interval } from "./options.ts";
import { Scoreboard } from "./scoreboard.ts";
import { type HostileStage, openHostileStage } from "./stage.ts";
import { judgeHostileRun } from "./verdict.ts";

/** The pause between two tricks: the machine is shared. */
const betweenTricksMs = 250;

/** A refused or cut session or request is the aim of a trick. */
const cutOff = /Unexpected server response: 4\d\d|socket hang up|ECONNRESET|fetch failed/;

/**
 * Plays all tricks of one hostile agent and one hostile member again and again on a real server, while a third user
 * works and is timed. Throws when the stage cannot be set up, and when the server ends.
 */
export async function runHostile(options: HostileOptions): Promise<HostileOutcome> {
  await using stage = await openHostileStage();
  const scoreboard = new Scoreboard();
  const latencies: number[] = [];
  await using scope = new Scope();
  scope.run((signal) => watchBystander(stage, latencies, scoreboard, signal));
  scope.run((signal) => playAll(stage, agentTricks, scoreboard, signal));
  scope.run((signal) => playAll(stage, memberTricks, scoreboard, signal));
  const crash = stage.server.exited.then((): never => {
    throw new Error(`the server ended:\n${stage.server.output().slice(-4_000)}`);
  });
  crash.catch(() => undefined);
  const measured = measureAll(stage, options, { latencies, scoreboard }, scope.signal);
  const intervals = await Promise.race([measured, scope.failed, crash]);
  const [p50Ms, p99Ms] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  const { faults } = scoreboard;
  const violations = judgeHostileRun({ intervals, faults, p99Ms });
  return { intervals, faults, violations, p50Ms, p99Ms };
}

/** Runs the bystander in a thread, and gathers its messages. Rejects when it fails. */
async function watchBystander(
  { server, bystander: { client, workspace } }: HostileStage,
  latencies: number[],
  scoreboard: Scoreboard,
  signal: AbortSignal,
): Promise<void> {
  const workerData: BystanderData = {
    serverUrl: server.url,
    token: client.headers["Coder-Session-Token"] ?? "",
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

async function playAll(
  stage: HostileStage,
  tricks: readonly Trick[],
  scoreboard: Scoreboard,
  signal: AbortSignal,
): Promise<void> {
  for (let number = 0; !signal.aborted; number += 1) {
    const trick = tricks[number % tricks.length];
    if (trick === undefined) return;
    const play = scoreboard.play(trick.name);
    try {
      await trick.run(stage, play, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (cutOff.test(errorText(error))) play.note(false);
      else scoreboard.fault(`${trick.name}: ${errorText(error)}`);
    }
    await pause(betweenTricksMs, undefined, { signal }).catch(() => undefined);
  }
}

interface Measurements {
  readonly latencies: readonly number[];
  readonly scoreboard: Scoreboard;
}

async function measureAll(
  { server, dataDir }: HostileStage,
  { durationMs, intervalMs, onInterval }: HostileOptions,
  { latencies, scoreboard }: Measurements,
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
      requests: recent.length,
      memoryBytes: await memoryOf(server.pid),
      diskBytes: await diskOf(dataDir),
      tricks: scoreboard.counts,
    };
    intervals.push(interval);
    onInterval(interval);
  }
  return intervals;
}
