import { createHash } from "node:crypto";

import {
  type Driver,
  type DriverBuild,
  DriverError,
  type DriverEvent,
  type DriverPlan,
  type DriverResult,
  type PlanInput,
  type WorkspaceObservation,
} from "@slipway/drivers";
import { abortable } from "@slipway/runtime";

type Report = (event: DriverEvent) => void;

/** A driver of containers that exist in memory only, and of which it tells. */
export class WatchedDriver implements Driver {
  readonly name = "docker";
  /** The tokens of the agents that run, by workspace. */
  readonly #running = new Map<string, Set<string>>();
  readonly #builds: DriverBuild[] = [];
  /** The connection to the infrastructure: its watcher, and its end. */
  #watch: { readonly report: Report; readonly lost: PromiseWithResolvers<never> } | undefined;
  /** What the starts and stops of a workspace wait for. */
  readonly #held = new Map<string, PromiseWithResolvers<void>>();
  /** The workspaces whose start waits. */
  readonly waiting = new Set<string>();

  /** Returns the number of times that agents of a workspace were started. */
  startsOf(workspaceId: string): number {
    return this.#builds.filter(({ workspace }) => workspace.id === workspaceId).length;
  }

  /** Returns the newest start of a workspace. */
  lastStart(workspaceId: string): DriverBuild {
    const build = this.#builds.findLast(({ workspace }) => workspace.id === workspaceId);
    if (build === undefined) throw new Error(`nothing of ${workspaceId} was started`);
    return build;
  }

  /** Holds starts, or stops, of a workspace until the function that it returns is called. */
  hold(what: "start" | "stop", workspaceId: string): () => void {
    const held = Promise.withResolvers<void>();
    this.#held.set(`${what} ${workspaceId}`, held);
    return held.resolve;
  }

  isRunning(workspaceId: string): boolean {
    return (this.#running.get(workspaceId)?.size ?? 0) > 0;
  }

  /** Ends the agents of a workspace, as when their containers are killed. */
  kill(workspaceId: string): void {
    this.#running.delete(workspaceId);
  }

  /** Reports the end of an agent, whether it ended or not. */
  report(token: string, kind: "ended" | "out-of-memory" = "ended"): void {
    this.#watch?.report({
      kind,
      workspaceId: "",
      agentId: "",
      tokenHash: createHash("sha256").update(token).digest("hex"),
      exitCode: 137,
      detail: `container 0123 ${kind}`,
    });
  }

  /** Ends everything, as when the infrastructure restarts. */
  restart(): void {
    this.#running.clear();
    this.#watch?.lost.reject(new DriverError("unavailable", "the connection is lost"));
  }

  async watch(report: Report, signal: AbortSignal): Promise<void> {
    const lost = Promise.withResolvers<never>();
    this.#watch = { report, lost };
    report({ kind: "watching" });
    await abortable(lost.promise, signal);
  }

  async plan({ agents }: PlanInput): Promise<DriverPlan> {
    return { resources: resourcesOf(agents) };
  }

  async start(build: DriverBuild): Promise<DriverResult> {
    const { id } = build.workspace;
    this.waiting.add(id);
    await this.#held.get(`start ${id}`)?.promise;
    this.waiting.delete(id);
    this.#builds.push(build);
    this.#running.set(build.workspace.id, new Set(build.agents.map(({ token }) => token)));
    return { state: undefined, resources: resourcesOf(build.agents) };
  }

  async stop({ workspace }: DriverBuild): Promise<DriverResult> {
    await this.#held.get(`stop ${workspace.id}`)?.promise;
    this.#running.delete(workspace.id);
    return { state: undefined, resources: [] };
  }

  async delete(build: DriverBuild): Promise<DriverResult> {
    return this.stop(build);
  }

  async observe({
    workspaceId,
    agents,
  }: Parameters<Driver["observe"]>[0]): Promise<WorkspaceObservation> {
    const running = this.#running.get(workspaceId);
    return {
      agents: agents.map(({ id, token }) =>
        running?.has(token)
          ? { id, status: "running", sinceMs: 0, place: "container 0123" }
          : { id, status: "absent" },
      ),
    };
  }
}

function resourcesOf(agents: readonly { readonly name: string }[]): DriverPlan["resources"] {
  return agents.map(({ name }) => ({ type: "container", name, agentNames: [name] }));
}
