import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface ClusterProcessPlan {
  readonly name: string;
  readonly command: readonly string[];
  /** The directory of its log. */
  readonly directory: string;
  /** The file to which it writes its id, which makes it a member of the cluster's control group. */
  readonly group: string;
  /** Tells whether it serves (default: at once). */
  readonly isReady?: () => Promise<boolean>;
}

const startLimitMs = 180_000;
const stopLimitMs = 15_000;
const pollMs = 100;

/** A program of a cluster. Its owner disposes of it, which ends it. */
export class ClusterProcess implements AsyncDisposable {
  readonly #plan: ClusterProcessPlan;
  #child: ChildProcess | undefined;

  constructor(plan: ClusterProcessPlan) {
    this.#plan = plan;
  }

  /** Starts the program and waits until it serves. */
  async start(): Promise<void> {
    const { name, command, directory, group, isReady = async () => true } = this.#plan;
    const log = join(directory, `${name}.log`);
    const child = spawn(
      "sh",
      [
        "-c",
        'log=$1; echo $$ >"$2"; shift 2; exec "$@" >>"$log" 2>&1',
        "sh",
        log,
        group,
        ...command,
      ],
      {
        stdio: "ignore",
      },
    );
    this.#child = child;
    const limit = AbortSignal.timeout(startLimitMs);
    while (!(await isReady())) {
      if (child.exitCode !== null || limit.aborted) {
        throw new Error(`${name} did not start:\n${(await readFile(log, "utf8")).slice(-4_000)}`);
      }
      await sleep(pollMs);
    }
  }

  /** Ends the program at once, as a crash. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const late = setTimeout(() => this.#child?.kill("SIGKILL"), stopLimitMs);
    await this.#end("SIGTERM");
    clearTimeout(late);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
}
