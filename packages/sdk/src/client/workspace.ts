import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { BuildStatus } from "@slipway/api/builds/build";
import type { Transition } from "@slipway/api/builds/resource";
import { nilUuid } from "@slipway/api/contract/nil-uuid";
import { listRegions } from "@slipway/api/deployment/routes";
import { portUrl } from "@slipway/api/workspaces/port-url";
import { failedStarts, rootAgents } from "@slipway/api/workspaces/readiness";
import { extendWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace as WorkspaceData } from "@slipway/api/workspaces/workspace";

import { Files } from "../files/files.ts";
import type { RunHandle } from "../runs/run-handle.ts";
import { type RunOptions, Runs } from "../runs/runs.ts";
import { TerminalClient, type TerminalSize } from "../terminal/terminal-client.ts";
import { beginBuild, readWorkspace } from "./begin-build.ts";
import { WorkspaceError } from "./errors.ts";
import { KeepAlive, type KeepAliveOptions } from "./keep-alive.ts";
import type { ClientContext, ForwardOptions, Forwarding } from "./platform.ts";
import { waitForBuild, type WaitProgress } from "./wait-for-build.ts";

/** The effect of disposing of a workspace's handle. */
export type DisposeAction = "keep" | "stop" | "delete";

/** Terms of a handle, which the server does not know. */
export interface HandleTerms {
  readonly onDispose: DisposeAction;
  /** The default environment of runs. */
  readonly env: Readonly<Record<string, string>>;
}

/** Options of a run in a workspace. */
export interface WorkspaceRunOptions extends RunOptions {
  /** The name of the agent (default: the only one). */
  readonly agent?: string;
}

/** Options of calls that start a build and wait for it. */
export interface BuildOptions {
  /** True to wait until the build is done and the workspace ready (default: true). */
  readonly wait?: boolean;
  /** Called with what the workspace is waiting for. */
  readonly onProgress?: (progress: WaitProgress) => void;
  readonly signal?: AbortSignal;
}

export interface TerminalOptions {
  readonly size?: TerminalSize;
  /** The command (default: a shell). */
  readonly command?: string;
  /** The UUID of a terminal to come back to (default: a new one). */
  readonly terminalId?: string;
  /** The name of the agent (default: the only one). */
  readonly agent?: string;
  readonly signal?: AbortSignal;
}

/** The time in which a workspace is deleted or stopped by its disposal, in milliseconds. */
const disposeTimeoutMs = 300_000;
const never = new AbortController().signal;

/**
 * A handle of a workspace. `await using` stops, deletes or keeps the workspace at the end of the block, as the call that
 * returned it documents. Calls throw `ApiError`, `ConnectError`, `WorkspaceError` and the signal's reason.
 */
export class Workspace implements AsyncDisposable {
  readonly #context: ClientContext;
  readonly #terms: HandleTerms;
  #data: WorkspaceData;
  /** The runs of the agent that was used last, so that its instance is asked for once. */
  #runs: { readonly agentId: string; readonly runs: Runs } | undefined;
  #isDisposed = false;

  /** Workspaces are created and found by `Slipway.workspaces`. */
  constructor(context: ClientContext, data: WorkspaceData, terms: HandleTerms) {
    this.#context = context;
    this.#data = data;
    this.#terms = terms;
  }

  get id(): string {
    return this.#data.id;
  }

  get name(): string {
    return this.#data.name;
  }

  /** The username of the owner. */
  get owner(): string {
    return this.#data.owner_name;
  }

  /** The status as of the last call, such as `running` or `stopped`. */
  get status(): BuildStatus {
    return this.#data.latest_build.status;
  }

  /** The workspace as the API describes it, as of the last call. */
  get data(): WorkspaceData {
    return this.#data;
  }

  /** True if it was a prebuilt workspace, so that it was running already. */
  get isClaimed(): boolean {
    const { build_number, transition } = this.#data.latest_build;
    return transition === "start" && build_number > 1;
  }

  /** The names of the agents whose start scripts failed, which does not end a wait for the workspace. */
  get failedStarts(): readonly string[] {
    return failedStarts(this.#data.latest_build);
  }

  /** The time at which the workspace stops, or is deleted; undefined if it runs without a limit. */
  get deadline(): Date | undefined {
    const { deadline } = this.#data.latest_build;
    return deadline === null ? undefined : new Date(deadline);
  }

  /** Reads the workspace again. */
  async refresh(options: { readonly signal?: AbortSignal } = {}): Promise<this> {
    this.#data = await readWorkspace(this.#context.client, this.id, options.signal ?? never);
    return this;
  }

  /** Waits until the workspace's newest build is done; after a start, until the workspace is ready. */
  async ready({ onProgress, signal = never }: Omit<BuildOptions, "wait"> = {}): Promise<this> {
    const { client, platform } = this.#context;
    const needs = { client, clock: platform.clock, signal, onProgress };
    this.#data = await waitForBuild(this.#data, this.#data.latest_build, needs);
    return this;
  }

  /** Starts the workspace; one that runs already is only waited for. */
  async start(options: BuildOptions = {}): Promise<this> {
    return this.#build("start", options);
  }

  /** Stops the workspace, and the runs in it. What is kept of its disk is decided by its template. */
  async stop(options: BuildOptions = {}): Promise<this> {
    return this.#build("stop", options);
  }

  /** Deletes the workspace with everything in it. */
  async delete(options: BuildOptions = {}): Promise<this> {
    return this.#build("delete", options);
  }

  /**
   * Moves the time at which a running workspace stops or is deleted, to `ms` milliseconds from now; returns whether
   * there is such a time. Never moves it back, unless `mayShorten`.
   */
  async extend(
    ms: number,
    options: { readonly mayShorten?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<boolean> {
    const { mayShorten = false, signal = never } = options;
    await this.refresh({ signal });
    const { deadline } = this;
    if (deadline === undefined) return false;
    const wanted = new Date(this.#context.platform.clock.now() + ms);
    if (!mayShorten && wanted <= deadline) return true;
    const { client } = this.#context;
    const params = { workspace: this.id };
    const body = { deadline: wanted.toISOString() };
    await client.call(extendWorkspace, { params, body, signal });
    return true;
  }

  /**
   * Keeps a workspace with a time limit alive while the result is not disposed of: at most `leaseMs` after this program
   * ends, the limit applies again.
   */
  keepAlive(options: KeepAliveOptions): KeepAlive {
    return new KeepAlive((ms, signal) => this.extend(ms, { signal }), {
      ...options,
      clock: this.#context.platform.clock,
    });
  }

  /**
   * Runs a text in the user's shell, or a program with its arguments. Await the handle for the result, or iterate over it for
   * the output. The run outlives this program: `commands.attach` continues with it, by its id.
   */
  run(
    command: string | readonly [string, ...string[]],
    { agent, ...options }: WorkspaceRunOptions = {},
  ): RunHandle {
    const env = { ...this.#terms.env, ...options.env };
    return this.#runsOf(this.agent(agent).id).run(command, { ...options, env });
  }

  /** The runs of the only agent, also those of other programs, and a while after the workspace has stopped. */
  get commands(): Runs {
    const isStarted = this.#data.latest_build.transition === "start";
    // What a stopped workspace has left is asked of the workspace, whichever its agent was.
    return this.#runsOf(isStarted ? this.agent().id : (this.#runs?.agentId ?? nilUuid));
  }

  /** The files of the only agent outside dev containers. */
  get files(): Files {
    return this.filesOf();
  }

  /** Returns the files of an agent by name. */
  filesOf(agent?: string): Files {
    return new Files(this.#context.client, async () => this.agent(agent).id);
  }

  /** Opens a terminal, which survives lost connections; iterate over it to run it. */
  async terminal(options: TerminalOptions = {}): Promise<TerminalClient> {
    const {
      size = { columns: 80, rows: 24 },
      command,
      terminalId,
      agent,
      signal = never,
    } = options;
    const { client, platform } = this.#context;
    const { id: agentId } = this.agent(agent);
    return new TerminalClient({
      client,
      agentId,
      size,
      clock: platform.clock,
      signal,
      ...(command === undefined ? {} : { command }),
      ...(terminalId === undefined ? {} : { terminalId }),
    });
  }

  /**
   * Forwards a local port to a port of the workspace, over the encrypted network: end to end, and directly where there
   * is a path. Node.js only. Throws `RangeError` for what is not a port.
   */
  async forward(
    port: number,
    options: ForwardOptions & { readonly agent?: string } = {},
  ): Promise<Forwarding> {
    const { client, platform } = this.#context;
    checkPort(port);
    const { id: agentId } = this.agent(options.agent);
    return platform.forward({ ...options, client, agentId, port, clock: platform.clock });
  }

  /**
   * Returns the URL at which a browser that is signed in reaches a port of the workspace, and a program that sends a
   * token in the header `Coder-Session-Token`. Throws `WorkspaceError` "no-port-url" if the server has no wildcard host
   * name, and for ports below 1000; `RangeError` for what is not a port.
   */
  async url(
    port: number,
    options: { readonly agent?: string; readonly signal?: AbortSignal } = {},
  ): Promise<string> {
    const { client } = this.#context;
    checkPort(port);
    const { regions } = await client.call(listRegions, { signal: options.signal ?? never });
    const agentName = this.agent(options.agent).name;
    const found = portUrl({ port, agentName }, this.#data, regions[0]);
    if ("url" in found) return found.url;
    throw new WorkspaceError("no-port-url", found.problem, { admitted: "no" });
  }

  /** Finds an agent by name; without a name, the only one outside dev containers. Throws `WorkspaceError`. */
  agent(name?: string): WorkspaceAgent {
    const { latest_build: build, owner_name } = this.#data;
    const full = `${owner_name}/${this.name}`;
    if (build.transition !== "start") {
      throw new WorkspaceError("not-running", `${full} is ${build.status}`, { admitted: "no" });
    }
    const all = build.resources.flatMap(({ agents }) => agents);
    const candidates =
      name === undefined ? rootAgents(build) : all.filter((one) => one.name === name);
    const [found, ...more] = candidates;
    const names = all.map((one) => one.name).join(", ");
    if (found === undefined) {
      const text = `${full} has no agent ${name ?? ""}`.trim();
      throw new WorkspaceError("not-found", `${text}, found ${names || "none"}`, {
        admitted: "no",
      });
    }
    if (more.length === 0) return found;
    throw new WorkspaceError("not-found", `${full} has several agents: name one of ${names}`, {
      admitted: "no",
    });
  }

  /** Stops, deletes or keeps the workspace, by the terms of the call that returned it. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { onDispose } = this.#terms;
    if (this.#isDisposed || onDispose === "keep") return;
    this.#isDisposed = true;
    const signal = AbortSignal.timeout(disposeTimeoutMs);
    if (onDispose === "stop") await this.stop({ signal });
    else await this.delete({ signal });
  }

  async #build(
    transition: Transition,
    { wait = true, onProgress, signal = never }: BuildOptions,
  ): Promise<this> {
    const { client, platform } = this.#context;
    const needs = { client, clock: platform.clock, signal };
    this.#data = await beginBuild(this.id, transition, needs);
    if (wait) await this.ready({ signal, ...(onProgress === undefined ? {} : { onProgress }) });
    return this;
  }

  #runsOf(agentId: string): Runs {
    if (this.#runs?.agentId !== agentId) {
      const { client, platform } = this.#context;
      const options = { client, agentId, workspaceId: this.id, clock: platform.clock };
      this.#runs = { agentId, runs: new Runs(options) };
    }
    return this.#runs.runs;
  }
}

const maxPort = 65_535;

function checkPort(port: number): void {
  if (Number.isInteger(port) && port >= 1 && port <= maxPort) return;
  throw new RangeError(`port is ${port}, wanted 1 to ${maxPort}`);
}
