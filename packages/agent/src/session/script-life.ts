import { type Clock, errorText, type Logger, withDeadline } from "@slipway/runtime";

import type { LogQueue } from "../scripts/log-queue.ts";
import type { StageResult, ScriptStages } from "../scripts/script.ts";
import type { Lifecycle } from "./lifecycle.ts";

/** The source of log lines that belong to no script (docs/protocol/agent.md §4.5). */
export const externalSourceId = "3b579bf4-1ed8-4b99-87a8-e9a1e3410410";

/** The time for which a state waits for the log lines before it, so that its readers can see the reason. */
const logsFirstMs = 1_000;

export interface ScriptLifeOptions {
  readonly stages: ScriptStages;
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logs: LogQueue;
  /** Continues the start after the scripts; undefined if they are all of it. Aborted when the session ends. */
  readonly afterScripts: ((signal: AbortSignal) => Promise<StageResult>) | undefined;
}

/** The scripts of a session, and the states that report them. */
export class ScriptLife {
  readonly #options: ScriptLifeOptions;
  readonly #stopping = new AbortController();
  #started: Promise<void> = Promise.resolve();

  constructor(options: ScriptLifeOptions) {
    this.#options = options;
  }

  /** Starts the start scripts, and the schedules after them. Call it once. */
  begin(): void {
    this.#options.lifecycle.enter("starting");
    this.#started = this.#start();
  }

  /** Ends running scripts, runs the stop scripts and enters the last state. The signal kills the stop scripts. */
  async end(signal: AbortSignal): Promise<void> {
    const { stages, lifecycle } = this.#options;
    lifecycle.enter("shutting-down");
    this.#stopping.abort();
    await stages.close();
    await this.#started;
    const result = await this.#resultOf(stages.stop(signal));
    lifecycle.enter(shutdownStates[signal.aborted ? "timed-out" : result]);
  }

  async #start(): Promise<void> {
    const { stages, lifecycle, clock, logs } = this.#options;
    const result = await this.#resultOf(this.#startAll());
    await withDeadline(logsFirstMs, clock, (limit) => logs.flush(limit));
    lifecycle.enter(startStates[result]);
    stages.startSchedules();
  }

  async #startAll(): Promise<StageResult> {
    const { stages, afterScripts } = this.#options;
    const result = await stages.start();
    const { signal } = this.#stopping;
    if (afterScripts === undefined || signal.aborted) return result;
    const rest = await afterScripts(signal);
    return result === "ok" ? rest : result;
  }

  /** Treats an unexpected error as a failed stage, and logs it where the workspace's users look. */
  async #resultOf(stage: Promise<StageResult>): Promise<StageResult> {
    try {
      return await stage;
    } catch (error) {
      const text = `cannot run scripts: ${errorText(error)}`;
      this.#options.logger.error({ error: errorText(error) }, "cannot run scripts");
      this.#options.logs.push(externalSourceId, "error", [text]);
      return "failed";
    }
  }
}

const startStates = { ok: "ready", "timed-out": "start-timeout", failed: "start-error" } as const;
const shutdownStates = {
  ok: "off",
  "timed-out": "shutdown-timeout",
  failed: "shutdown-error",
} as const;
