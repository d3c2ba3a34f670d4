import type { Run as RunDescription } from "@slipway/api/agents/run-routes";
import { type Clock, settlesWithin } from "@slipway/runtime";

import { type ProcessGroups, signalGroup } from "../process/process-groups.ts";
import type { Exit } from "../process/spawn-group.ts";
import type { TerminalSize } from "../terminal/terminal-size.ts";
import { runError } from "./errors.ts";
import type { RunInput } from "./run-input.ts";
import type { RunOutput } from "./run-output.ts";
import type { RunStart } from "./run-start.ts";
import type { StartedProcess } from "./start-process.ts";

/** The time from SIGTERM to SIGKILL after the time limit. */
const killAfterMs = 5_000;

interface RunNeeds {
  readonly start: RunStart;
  readonly instanceId: string;
  readonly workdir: string;
  readonly user: string;
  readonly process: StartedProcess;
  readonly output: RunOutput;
  readonly groups: ProcessGroups;
  readonly clock: Clock;
}

/**
 * A command of a caller, which it outlives.
 *
 *     running ──► exited: its leader has ended, and its output was read
 */
export class Run {
  readonly output: RunOutput;
  readonly startedAtMs: number;
  /** Resolves once the run has exited; never rejects. */
  readonly exited: Promise<void>;
  readonly #needs: RunNeeds;
  #exit: Exit | undefined;
  #exitedAtMs: number | undefined;
  #isTimedOut = false;

  constructor(needs: RunNeeds) {
    this.#needs = needs;
    this.output = needs.output;
    this.startedAtMs = needs.clock.now();
    this.exited = this.#run();
    if (needs.start.timeoutMs !== undefined) void this.#limit(needs.start.timeoutMs);
  }

  /** Undefined while it runs. */
  get exitedAtMs(): number | undefined {
    return this.#exitedAtMs;
  }

  get id(): string {
    return this.#needs.start.id;
  }

  get isRunning(): boolean {
    return this.#exit === undefined;
  }

  /** Undefined without input. */
  get input(): RunInput | undefined {
    return this.#needs.process.input;
  }

  /** The request that started it. */
  get start(): RunStart {
    return this.#needs.start;
  }

  /** Describes the run, as the API does. */
  describe(): RunDescription {
    const { start, instanceId, workdir, user } = this.#needs;
    const exit = this.#exit;
    const { input, output } = this;
    return {
      id: start.id,
      instance_id: instanceId,
      command: start.title,
      workdir,
      user,
      tty: start.terminal !== undefined,
      status: exit === undefined ? "running" : "exited",
      started_at: timestamp(this.startedAtMs),
      exited_at: this.#exitedAtMs === undefined ? null : timestamp(this.#exitedAtMs),
      exit_code: exit?.kind === "exited" ? exit.exitCode : null,
      signal: exit?.kind === "signalled" ? exit.signal : null,
      timed_out: this.#isTimedOut,
      last_seq: output.lastSeq,
      first_seq: output.firstSeq,
      truncated_bytes: output.truncatedBytes,
      stdin:
        input === undefined ? "none" : input.isClosed || exit !== undefined ? "closed" : "open",
      stdin_seq: input?.taken ?? 0,
    };
  }

  /** Sends a signal to all processes of the run. Throws `ApiError`. */
  signal(name: NodeJS.Signals): void {
    if (this.isRunning && signalGroup(this.#needs.process.pid, name)) return;
    throw runError("not-running", "The run has already ended.");
  }

  /** Resizes its terminal. Throws `ApiError`. */
  resize(size: TerminalSize): void {
    const { resize } = this.#needs.process;
    if (resize === undefined) throw runError("no-terminal", "The run has no terminal.");
    resize(size);
  }

  async #run(): Promise<void> {
    const { process, output, groups, clock } = this.#needs;
    groups.started(process.pid);
    const exit = await process.read((stream, bytes) => output.append(stream, bytes));
    groups.leaderEnded(process.pid);
    this.#exit = exit;
    this.#exitedAtMs = clock.now();
    output.end();
  }

  /** Ends the processes at the time limit. */
  async #limit(timeoutMs: number): Promise<void> {
    const { process, clock } = this.#needs;
    if (await settlesWithin(this.exited, timeoutMs, clock)) return;
    this.#isTimedOut = true;
    signalGroup(process.pid, "SIGTERM");
    await settlesWithin(this.exited, killAfterMs, clock);
    if (this.isRunning) signalGroup(process.pid, "SIGKILL");
  }
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
