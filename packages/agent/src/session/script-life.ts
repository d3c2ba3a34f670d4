import { errorText } from "@slipway/runtime";
import type { Clock, Logger } from "@slipway/runtime";

import type { LogQueue } from "../scripts/log-queue.ts";
import type { ScriptHost } from "../scripts/run-script.ts";
import type { ScriptTiming, StageResult } from "../scripts/script-result.ts";
import { ScriptRunner } from "../scripts/script-runner.ts";
import type { Script } from "../scripts/script.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { limitedBy } from "./limited-by.ts";

/** Source of log lines that belong to no script (agent.md 4.5). */
const externalSourceId = "3b579bf4-1ed8-4b99-87a8-e9a1e3410410";

/** How long a state waits for the log lines that come before it, so that whoever sees it can read why. */
const logsFirstMs = 1_000;

export interface ScriptLifeOptions {
  readonly host: ScriptHost;
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logs: LogQueue;
  readonly onCompleted: (timing: ScriptTiming) => void;
}

/** The scripts of an agent's life: begun once, with the first manifest, and ended with the shutdown. */
export class ScriptLife {
  readonly #options: ScriptLifeOptions;
  #begun: { readonly runner: ScriptRunner; readonly started: Promise<void> } | undefined;

  constructor(options: ScriptLifeOptions) {
    this.#options = options;
  }

  /** Starts the scripts of the first manifest; those of later ones are not looked at. */
  begin(scripts: readonly Script[]): void {
    if (this.#begun !== undefined) return;
    const { host, lifecycle, onCompleted } = this.#options;
    lifecycle.enter("starting");
    const runner = new ScriptRunner(scripts, host, onCompleted);
    this.#begun = { runner, started: this.#start(runner) };
  }

  /** Ends what runs, runs the stop scripts and enters the last state. False when there never was a manifest. */
  async end(signal: AbortSignal): Promise<boolean> {
    if (this.#begun === undefined) return false;
    const { runner, started } = this.#begun;
    this.#options.lifecycle.enter("shutting-down");
    await runner.close();
    await started;
    const result = await this.#resultOf(runner.stop(signal));
    this.#options.lifecycle.enter(shutdownStates[result]);
    return true;
  }

  async #start(runner: ScriptRunner): Promise<void> {
    const { lifecycle, clock, logs } = this.#options;
    const result = await this.#resultOf(runner.start());
    await limitedBy(logsFirstMs, clock, (limit) => logs.flush(limit));
    lifecycle.enter(startStates[result]);
    runner.startSchedules();
  }

  /** What nobody foresaw is a failed stage, with its reason where the users of the workspace look. */
  async #resultOf(stage: Promise<StageResult>): Promise<StageResult> {
    try {
      return await stage;
    } catch (error) {
      const text = `scripts cannot be run: ${errorText(error)}`;
      this.#options.logger.error({ error: errorText(error) }, "scripts cannot be run");
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
