import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";

import { errorText, type Logger } from "@slipway/runtime";

import type { DescriptorShare } from "../connections/descriptors.ts";
import { ProcessError } from "../process/errors.ts";
import type { CommandHost } from "../process/run-command.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import { fileTurns } from "../process/turns.ts";
import type { CommandVariables } from "../process/workspace-commands.ts";
import { actAs } from "./act-as.ts";
import { runError } from "./errors.ts";
import { blockBytes } from "./output-block.ts";
import { blocksFor, RunOutput } from "./run-output.ts";
import type { RunStart } from "./run-start.ts";
import { Run } from "./run.ts";
import { SpoolDirectory } from "./spool-directory.ts";
import { SpoolFile } from "./spool-file.ts";
import { startProcess, type StartedProcess } from "./start-process.ts";

/** The limits on the runs of an agent. */
export interface RunsLimits {
  readonly maxRunning: number;
  /** The maximum number of runs, with those that have ended. */
  readonly maxKept: number;
  /** The maximum size of the output that is kept of one run, and of all, in bytes. */
  readonly maxOutputBytes: number;
  readonly maxOutputBytesInAll: number;
  /** The time for which an ended run is kept. */
  readonly keepMs: number;
}

export const defaultRunsLimits: RunsLimits = {
  maxRunning: 256,
  maxKept: 1_024,
  maxOutputBytes: 16 * 1024 * 1024,
  maxOutputBytesInAll: 512 * 1024 * 1024,
  keepMs: 10 * 60_000,
};

/** The number of ids of forgotten runs that are remembered, so that a late repetition does not start one again. */
const maxForgotten = 16_384;
/** The descriptors of a run: its pipes or terminal, and its file. */
const descriptorsPerRun = 4;

export interface RunsNeeds {
  readonly prepare: (text: string, variables: CommandVariables) => Promise<PreparedCommand>;
  readonly commands: CommandHost;
  readonly descriptors: DescriptorShare;
  /** The directory of the agent's files; the output gets a directory in it. */
  readonly dataDir: string;
  readonly logger: Logger;
  readonly limits?: RunsLimits;
}

/** The runs of one instance of an agent: of one process, for one owner. Its opener closes it. */
export class Runs {
  /** The identity of this instance: handles of another one get `gone`. */
  readonly instanceId = randomUUID();
  readonly #needs: RunsNeeds;
  readonly #limits: RunsLimits;
  readonly #spool: SpoolDirectory;
  readonly #runs = new Map<string, Run>();
  /** The runs that are being started, by id. */
  readonly #starting = new Map<string, { readonly digest: string; readonly run: Promise<Run> }>();
  /** The ended runs in the order of their ends, with the monotonic times until which they are kept. */
  readonly #ended = new Map<Run, number>();
  readonly #forgotten = new Set<string>();
  readonly #stopping = new AbortController();
  #blocks = 0;
  #isForgetting = false;

  constructor(needs: RunsNeeds) {
    this.#needs = needs;
    this.#limits = needs.limits ?? defaultRunsLimits;
    this.#spool = new SpoolDirectory(needs.dataDir, this.instanceId);
  }

  /** Starts a run, or returns the one that the same request has already started. Rejects with `ApiError`. */
  async start(start: RunStart): Promise<Run> {
    this.requireInstance(start.instanceId);
    const known = this.#runs.get(start.id);
    const starting = this.#starting.get(start.id);
    if (known !== undefined || starting !== undefined) {
      const digest = known?.start.digest ?? starting?.digest;
      if (digest !== start.digest) {
        throw runError("id-taken", "Another request has started a run with this id.");
      }
      return known ?? starting?.run ?? this.find(start.id);
    }
    if (this.#forgotten.has(start.id)) throw forgotten();
    const run = this.#start(start).finally(() => this.#starting.delete(start.id));
    this.#starting.set(start.id, { digest: start.digest, run });
    return run;
  }

  /** Returns a run of this instance. Throws `ApiError`. */
  find(id: string, instanceId?: string): Run {
    this.requireInstance(instanceId);
    const run = this.#runs.get(id);
    if (run !== undefined) return run;
    if (this.#forgotten.has(id)) throw forgotten();
    throw runError("not-found", "There is no such run.");
  }

  /** Lists the runs, the newest first. */
  list(): readonly Run[] {
    return [...this.#runs.values()].toReversed();
  }

  /** Requires that a caller means this instance. Throws `ApiError`. */
  requireInstance(instanceId: string | undefined): void {
    if (instanceId === undefined || instanceId === this.instanceId) return;
    const detail = "it was restarted, or the workspace has another owner";
    throw runError("gone", "The agent is no longer the one that the request means.", detail);
  }

  /** Starts no more runs. Those that run end with the groups of the agent's commands. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Forgets all runs, whose processes have ended. */
  async close(): Promise<void> {
    this.stop();
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    this.#ended.clear();
    await Promise.all(runs.map((run) => run.output.remove()));
    await this.#spool.remove();
  }

  async #start(start: RunStart): Promise<Run> {
    const { commands, descriptors } = this.#needs;
    if (this.#stopping.signal.aborted) throw runError("gone", "The agent is stopping.");
    const running = this.#runs.size - this.#ended.size;
    if (running + this.#starting.size >= this.#limits.maxRunning) {
      const detail = `${this.#limits.maxRunning} run already`;
      throw runError("too-many-runs", "Too many commands run in this workspace.", detail);
    }
    const held = descriptors.take(descriptorsPerRun);
    if (held === undefined) {
      throw runError("too-many-runs", "The agent has no room for another command.");
    }
    try {
      const command = await this.#prepare(start);
      const started = await this.#spawn(command, start);
      const run = new Run({
        start,
        instanceId: this.instanceId,
        workdir: command.cwd,
        user: command.environment["USER"] ?? "",
        process: started,
        output: this.#openOutput(start.id),
        groups: commands.groups,
        clock: commands.clock,
      });
      void run.exited.finally(() => held[Symbol.dispose]());
      this.#keep(run);
      return run;
    } catch (error) {
      held[Symbol.dispose]();
      throw error;
    }
  }

  async #prepare({ command, workdir, environment, user }: RunStart): Promise<PreparedCommand> {
    try {
      const text = typeof command === "string" ? command : ":";
      const own = await this.#needs.prepare(text, { extra: environment });
      const prepared = user === undefined ? own : await actAs(user, text, own, environment);
      const cwd = await workingDirectory(workdir, prepared);
      if (typeof command === "string") return { ...prepared, cwd };
      const [file, ...args] = command;
      return { ...prepared, file, args, cwd };
    } catch (error) {
      throw spawnFailure(error);
    }
  }

  async #spawn(
    command: PreparedCommand,
    { hasInput, terminal }: RunStart,
  ): Promise<StartedProcess> {
    try {
      return await startProcess(command, { host: this.#needs.commands, hasInput, terminal });
    } catch (error) {
      throw spawnFailure(error);
    }
  }

  #openOutput(id: string): RunOutput {
    const { maxOutputBytes, maxOutputBytesInAll } = this.#limits;
    const file = new SpoolFile(this.#spool.pathOf(id), blockBytes, fileTurns);
    const maxBlocksInAll = blocksFor(maxOutputBytesInAll);
    return new RunOutput({
      spool: {
        read: (slot, length) => file.read(slot, length),
        write: async (slot, bytes) => {
          await this.#spool.make();
          await file.write(slot, bytes);
        },
        close: () => file.close(),
        remove: () => file.remove(),
      },
      maxBlocks: blocksFor(maxOutputBytes),
      takeRoom: () => {
        while (this.#blocks >= maxBlocksInAll) {
          if (!this.#forgetOldest(({ output }) => output.blocks > 0)) return false;
        }
        this.#blocks += 1;
        return true;
      },
      giveRoom: () => {
        this.#blocks -= 1;
      },
    });
  }

  #keep(run: Run): void {
    this.#runs.set(run.id, run);
    while (this.#runs.size > this.#limits.maxKept) if (!this.#forgetOldest()) break;
    void run.exited.then(() => this.#noteEnd(run));
  }

  #noteEnd(run: Run): void {
    // The agent may have closed meanwhile.
    if (!this.#runs.has(run.id)) return;
    this.#ended.set(run, this.#needs.commands.clock.monotonic() + this.#limits.keepMs);
    if (!this.#isForgetting) void this.#forgetEnded();
  }

  /** Forgets ended runs when their time is over, until none is left: one timer, however many there are. */
  async #forgetEnded(): Promise<void> {
    const { clock } = this.#needs.commands;
    this.#isForgetting = true;
    try {
      // An iterator that is kept would hold everything that was in the map meanwhile.
      for (let [first] = this.#ended; first !== undefined; [first] = this.#ended) {
        const [run, dueMs] = first;
        if (dueMs <= clock.monotonic()) this.#forget(run);
        else await clock.sleep(dueMs - clock.monotonic(), this.#stopping.signal);
      }
    } catch {
      // The agent stops: what is kept goes to the server.
    } finally {
      this.#isForgetting = false;
    }
  }

  /** Forgets the oldest run that has ended, of those that matter. Returns false if there is none. */
  #forgetOldest(matters: (run: Run) => boolean = () => true): boolean {
    const oldest = this.#runs.values().find((run) => !run.isRunning && matters(run));
    if (oldest !== undefined) this.#forget(oldest);
    return oldest !== undefined;
  }

  #forget(run: Run): void {
    this.#ended.delete(run);
    if (!this.#runs.delete(run.id)) return;
    this.#forgotten.add(run.id);
    if (this.#forgotten.size > maxForgotten) {
      const [oldest = ""] = this.#forgotten;
      this.#forgotten.delete(oldest);
    }
    run.output.remove().catch((error: unknown) => {
      this.#needs.logger.warn({ error: errorText(error) }, "cannot remove the output of a run");
    });
  }
}

function forgotten(): Error {
  return runError("forgotten", "The run has ended and is no longer kept.");
}

function spawnFailure(error: unknown): unknown {
  if (!(error instanceof ProcessError)) return error;
  return runError("spawn-failed", "The command cannot be started.", errorText(error));
}

/** Returns the wanted directory, which must exist, or the default one; `~` is the `HOME` of the run. */
async function workingDirectory(
  wanted: string | undefined,
  { cwd, environment }: Pick<PreparedCommand, "cwd" | "environment">,
): Promise<string> {
  if (wanted === undefined || wanted === "") return cwd;
  const path = resolve(
    cwd,
    wanted.replace(/^~(?=\/|$)/, () => environment["HOME"] ?? "~"),
  );
  const found = await stat(path).catch((cause: unknown) => {
    throw new ProcessError("no-directory", `cannot use the directory ${path}`, { cause });
  });
  if (found.isDirectory()) return path;
  throw new ProcessError("no-directory", `${path} is not a directory`);
}
