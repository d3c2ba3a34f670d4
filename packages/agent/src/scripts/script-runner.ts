import { errorText, Scope } from "@slipway/runtime";

import { parseCron, type CronSchedule, runSchedule } from "./cron.ts";
import { runScript, type ScriptHost } from "./run-script.ts";
import { makeScriptBinDirectory } from "./script-directories.ts";
import {
  stageResult,
  type ScriptStatus,
  type ScriptTiming,
  type StageResult,
  type ScriptStages,
  type Script,
  type Stage,
} from "./script.ts";

/** The default timeout of stop scripts, without which a shutdown could take forever. */
const stopTimeoutMs = 10 * 60_000;
/** The maximum number of concurrent runs of a schedule; further runs are skipped. */
const maxOverlapping = 32;

/** Runs the scripts of the first manifest of a session. `close` ends running scripts. */
export class ScriptRunner implements ScriptStages, AsyncDisposable {
  readonly #scripts: readonly Script[];
  readonly #host: ScriptHost;
  readonly #onCompleted: (timing: ScriptTiming) => void;
  readonly #schedules = new Map<Script, CronSchedule>();
  /** Start and cron scripts; stop scripts outlive it. */
  readonly #scope: Scope;
  #hasFault = false;
  #prepared: Promise<void> = Promise.resolve();

  constructor(
    scripts: readonly Script[],
    host: ScriptHost,
    onCompleted: (timing: ScriptTiming) => void,
  ) {
    this.#scripts = scripts;
    this.#host = host;
    this.#onCompleted = onCompleted;
    this.#scope = new Scope();
  }

  /**
   * Runs the start scripts and resolves to their result. A fault of a script, such as a malformed schedule, goes into its log
   * and counts as a failure.
   */
  async start(): Promise<StageResult> {
    this.#prepared = this.#prepare();
    const scripts = this.#scripts.filter(({ runOnStart }) => runOnStart);
    const result = await this.#runAll(scripts, "start", this.#scope.signal);
    await this.#prepared;
    return result === "ok" && this.#hasFault ? "failed" : result;
  }

  /** Starts the schedules; returns immediately. */
  startSchedules(): void {
    for (const [script, schedule] of this.#schedules) {
      let running = 0;
      const run = async (signal: AbortSignal): Promise<void> => {
        running += 1;
        try {
          await this.#run(script, "cron", signal);
        } finally {
          running -= 1;
        }
      };
      this.#scope.run(async (signal) => {
        const { clock } = this.#host.commands;
        const onDue = (): void => {
          if (running < maxOverlapping) this.#scope.run(run);
          else this.#host.logger.warn({ scriptId: script.id, running }, "cron run skipped");
        };
        await runSchedule(schedule, onDue, { clock, signal });
      });
    }
  }

  /** Ends running start and cron scripts: SIGHUP, and SIGKILL two seconds later. */
  async close(): Promise<void> {
    await this.#scope.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Runs the stop scripts. The signal kills them. */
  async stop(signal: AbortSignal): Promise<StageResult> {
    const scripts = this.#scripts.filter(({ runOnStop }) => runOnStop);
    return this.#runAll(scripts, "stop", signal);
  }

  /** Never rejects. */
  async #prepare(): Promise<void> {
    try {
      await makeScriptBinDirectory(this.#host.directories.dataDir);
    } catch (error) {
      for (const script of this.#scripts) this.#fault(script, error);
    }
    for (const script of this.#scripts.filter(({ cron }) => cron !== "")) {
      try {
        this.#schedules.set(script, await parseCron(script.cron));
      } catch (error) {
        this.#fault(script, error);
      }
    }
  }

  #fault(script: Script, error: unknown): void {
    this.#hasFault = true;
    const text = errorText(error);
    this.#host.logger.warn({ scriptId: script.id, error: text }, "script cannot run as configured");
    this.#host.logs.push(script.logSourceId, "error", [text]);
  }

  async #runAll(
    scripts: readonly Script[],
    stage: Stage,
    signal: AbortSignal,
  ): Promise<StageResult> {
    let firstFailure: ScriptStatus | undefined;
    await Promise.all(
      scripts.map(async (script) => {
        const { status } = await this.#run(script, stage, signal);
        if (status !== "ok") firstFailure ??= status;
      }),
    );
    return stageResult(firstFailure);
  }

  async #run(script: Script, stage: Stage, signal: AbortSignal): Promise<ScriptTiming> {
    const timeoutMs = script.timeoutMs ?? (stage === "stop" ? stopTimeoutMs : undefined);
    const ready = this.#prepared;
    const timing = await runScript(script, stage, this.#host, { timeoutMs, ready, signal });
    this.#onCompleted(timing);
    return timing;
  }
}
