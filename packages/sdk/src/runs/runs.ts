import { listRuns, type Run, type RunRequest } from "@slipway/api/agents/run-routes";

import type { TerminalSize } from "./follow-run.ts";
import { type FollowOptions, RunHandle } from "./run-handle.ts";
import { RunTarget, type RunTargetOptions } from "./run-target.ts";

/** Input of a run: all of it, or `open` to write it later. */
export type RunInput = "open" | Uint8Array | { readonly text: string };

export interface RunOptions extends FollowOptions {
  /** The UUID of the run: repeated calls with the same one and the same command start it once (default: a new one). */
  readonly id?: string;
  /** The working directory, which may begin with `~/` (default: the agent's). */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The user (default: the agent's); another one only where the agent is root. */
  readonly user?: string;
  /** The input (default: empty). */
  readonly stdin?: RunInput;
  /** The time after which the command gets SIGTERM, and five seconds later SIGKILL. */
  readonly timeoutMs?: number;
  /** Runs the command on a terminal of this size, with its input open. */
  readonly pty?: TerminalSize;
}

export interface AttachOptions extends FollowOptions {
  /** The position up to which the caller has the output: the last `seq` (default: 0). */
  readonly after?: number;
}

/** The runs of a workspace's agent. */
export class Runs {
  readonly #target: RunTarget;

  constructor(options: RunTargetOptions) {
    this.#target = new RunTarget(options);
  }

  /** Runs a text in the user's shell, or a program with its arguments. */
  run(command: string | readonly [string, ...string[]], options: RunOptions = {}): RunHandle {
    const { id = crypto.randomUUID(), stdin, pty, signal = new AbortController().signal } = options;
    const request: RunRequest & { readonly id: string } = {
      id,
      ...(typeof command === "string" ? { command } : { argv: [...command] }),
      ...(options.cwd === undefined ? {} : { workdir: options.cwd }),
      ...(options.env === undefined ? {} : { env: { ...options.env } }),
      ...(options.user === undefined ? {} : { user: options.user }),
      ...(options.timeoutMs === undefined ? {} : { timeout_ms: options.timeoutMs }),
      ...(stdin === undefined ? {} : { stdin: true }),
      ...(pty === undefined ? {} : { tty: { columns: pty.columns, rows: pty.rows } }),
    };
    const started = this.#target.start(request, signal);
    // Reported to those who use the handle.
    started.catch(() => undefined);
    const handle = new RunHandle({
      target: this.#target,
      id,
      started,
      after: 0,
      size: pty,
      options,
    });
    if (stdin !== undefined && stdin !== "open") void writeAll(handle, stdin);
    return handle;
  }

  /** Attaches to a run that any program has started, or reads what is left of it after the workspace has stopped. */
  attach(id: string, options: AttachOptions = {}): RunHandle {
    const signal = options.signal ?? new AbortController().signal;
    const { after = 0 } = options;
    const started = this.#target.find(id, after, signal);
    started.catch(() => undefined);
    return new RunHandle({ target: this.#target, id, started, after, size: undefined, options });
  }

  /** Lists the runs, the newest first: those that run, and those that ended a while ago. */
  async list(options: { readonly signal?: AbortSignal } = {}): Promise<readonly Run[]> {
    const { client, agentId } = this.#target;
    const params = { agent: agentId };
    return (await client.call(listRuns, { params, ...options })).runs;
  }
}

/** Writes the whole input. A failure is that of the run, or of a command that does not want it. */
async function writeAll(handle: RunHandle, input: Exclude<RunInput, "open">): Promise<void> {
  try {
    await handle.write(input instanceof Uint8Array ? input : input.text);
    handle.closeStdin();
  } catch {
    // Whoever awaits the run learns of it.
  }
}
