import { hashToken } from "../docker/marks.ts";
import type { DriverBuild } from "../driver-build.ts";
import type {
  Driver,
  DriverEvent,
  DriverLog,
  DriverPlan,
  DriverResource,
  DriverResult,
  ObserveInput,
  PlanInput,
  WorkspaceObservation,
} from "../driver.ts";
import { ClusterError, DriverError } from "../errors.ts";
import { ClusterConnection } from "./cluster-connection.ts";
import type { BuildContext, ClusterContext } from "./cluster-context.ts";
import { kinds, listObjects, listPath, nameOf } from "./cluster-objects.ts";
import { requireRights } from "./cluster-rights.ts";
import { findOwners } from "./find-owners.ts";
import { readEndpoint } from "./kubeconfig.ts";
import type { KubernetesDriverOptions } from "./kubernetes-options.ts";
import { PodIdentity } from "./pod-identity.ts";
import { agentSelector, readMarks } from "./pod-marks.ts";
import { type PermittedPod, requirePermitted } from "./pod-policy.ts";
import { isRunningPod, mainState } from "./pod-state.ts";
import { endAgents, startAgent } from "./run-agents.ts";
import { watchPods } from "./watch-pods.ts";
import { findVolumes, removeVolumes } from "./workspace-objects.ts";

const silent: DriverLog = { write: () => undefined };

/**
 * Runs each agent in a pod of a Kubernetes cluster. The cluster and the labels on what it runs hold the truth: the driver
 * keeps nothing between its calls but its connections.
 */
export class KubernetesDriver implements Driver, Disposable {
  readonly name: string;
  readonly #options: KubernetesDriverOptions;
  readonly #identity = new PodIdentity();
  #connection: ClusterConnection | undefined;
  #hasRights = false;

  constructor(options: KubernetesDriverOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async plan(
    { agents, purpose }: PlanInput,
    log: DriverLog,
    signal: AbortSignal,
  ): Promise<DriverPlan> {
    requirePermitted(agents, this.#options);
    // A build tests everything when it starts.
    if (purpose === "push") {
      await this.#build(log, signal, async (context) => {
        await this.#requireRights(context, signal);
        this.#options.podUrl();
      });
    }
    const volumes = agents.flatMap(({ container }) => container?.volumes ?? []);
    return { resources: resourcesOf(agents, new Set(volumes.map(({ name }) => name))) };
  }

  async start(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    const permitted = requirePermitted(build.agents, this.#options);
    return this.#build(log, signal, async (context) => {
      await this.#requireRights(context, signal);
      const running = await this.#endOthers(context, build, signal);
      const missing = build.agents.filter(({ token }) => !running.has(hashToken(token)));
      for (const agent of missing) {
        const container = containerOf(permitted, agent.name);
        if (container === undefined) continue;
        await startAgent(context, this.#options, { build, agent: { ...agent, container } }, signal);
      }
      return this.#result(context, build, signal);
    });
  }

  async stop(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    return this.#build(log, signal, async (context) => {
      await endAgents(context, build, "suspend", () => true, signal);
      return this.#result(context, { ...build, agents: [] }, signal);
    });
  }

  async delete(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    return this.#build(log, signal, async (context) => {
      await endAgents(context, build, "delete", () => true, signal);
      await removeVolumes(context, this.#place(build), signal);
      return { state: undefined, resources: [] };
    });
  }

  async observe(
    { workspaceId, agents }: ObserveInput,
    signal: AbortSignal,
  ): Promise<WorkspaceObservation> {
    return this.#run(silent, async ({ connection, deploymentId }) => {
      const path = listPath(connection, kinds.pods);
      const labelSelector = agentSelector(deploymentId, workspaceId);
      const { objects } = await listObjects(connection, { path, labelSelector }, signal);
      const observed = agents.map(({ id, token }) => {
        const wanted = hashToken(token);
        const pod = objects.find(
          (one) => isRunningPod(one) && readMarks(one, deploymentId)?.tokenHash === wanted,
        );
        const state = pod && mainState(pod)?.state;
        if (pod === undefined || state?.kind !== "running")
          return { id, status: "absent" } as const;
        const place = `pod ${nameOf(pod)}`;
        return { id, status: "running", sinceMs: state.sinceMs, place } as const;
      });
      return { agents: observed };
    });
  }

  async watch(report: (event: DriverEvent) => void, signal: AbortSignal): Promise<void> {
    await this.#run(silent, (context) => watchPods(context, report, signal));
  }

  /** Returns the SHA-256 of the token of the agent whose pod holds a token; undefined if no living pod does. */
  async provePod(token: string, signal: AbortSignal): Promise<string | undefined> {
    return this.#run(silent, async (context) => {
      const marks = await this.#identity.prove(context, token, signal);
      return marks?.tokenHash;
    });
  }

  /** Closes the connections to the cluster. */
  [Symbol.dispose](): void {
    this.#connection?.[Symbol.dispose]();
  }

  #place({ workspace }: Pick<DriverBuild, "workspace">) {
    return { deploymentId: this.#options.deploymentId, workspaceId: workspace.id };
  }

  /** Connects for a task, and translates the refusals of the API server. */
  async #run<T>(log: DriverLog, task: (context: ClusterContext) => Promise<T>): Promise<T> {
    const { deploymentId, clock, variables } = this.#options;
    try {
      this.#connection ??= new ClusterConnection(await readEndpoint(this.#options), { clock });
      const connection = this.#connection;
      return await task({ connection, deploymentId, clock, log });
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      throw translate(error, variables.source);
    }
  }

  /** Connects for a build, which learns what runs agents on this cluster. */
  #build<T>(
    log: DriverLog,
    signal: AbortSignal,
    task: (context: BuildContext) => Promise<T>,
  ): Promise<T> {
    return this.#run(log, async (context) =>
      task({ ...context, owners: await findOwners(context.connection, signal) }),
    );
  }

  async #requireRights(context: BuildContext, signal: AbortSignal): Promise<void> {
    if (this.#hasRights) return;
    await requireRights(context.connection, context.owners[0], signal);
    this.#hasRights = true;
  }

  /**
   * Ends the agents that do not belong to this build. Returns the running ones by the hash of their token: a claimed
   * workspace's agent has a new id and the old token.
   */
  async #endOthers(
    context: BuildContext,
    build: DriverBuild,
    signal: AbortSignal,
  ): Promise<ReadonlySet<string>> {
    const wanted = new Map(build.agents.map(({ name, token }) => [name, hashToken(token)]));
    await endAgents(
      context,
      build,
      "delete",
      ({ marks }) => wanted.get(marks.agentName) !== marks.tokenHash,
      signal,
    );
    const { agents } = await this.observe(
      { workspaceId: build.workspace.id, agents: build.agents, state: undefined },
      signal,
    );
    const running = build.agents.filter(({ id }) =>
      agents.some((one) => one.id === id && one.status === "running"),
    );
    for (const { name } of running) {
      context.log.write("info", "Starting agents", `agent ${name} is already running`);
    }
    return new Set(running.map(({ token }) => hashToken(token)));
  }

  async #result(
    context: ClusterContext,
    build: DriverBuild,
    signal: AbortSignal,
  ): Promise<DriverResult> {
    const volumes = await findVolumes(context, this.#place(build), signal);
    const names = new Set(volumes.map(({ volume }) => volume));
    return { state: undefined, resources: resourcesOf(build.agents, names) };
  }
}

function containerOf(permitted: readonly PermittedPod[], name: string) {
  return permitted.find((one) => one.name === name)?.container;
}

function translate(error: ClusterError, variable: string): DriverError {
  const { status, message } = error;
  if (status === 401) {
    return new DriverError(
      "not-startable",
      `Kubernetes rejects the server's credentials (401): renew those of ${variable}`,
      { cause: error },
    );
  }
  const code = status === 429 || status >= 500 ? "unavailable" : "not-startable";
  return new DriverError(code, `Kubernetes: ${message}`, { cause: error });
}

/** Lists a pod for each agent, and the volumes, which stay when the agents stop. */
function resourcesOf(
  agents: readonly { readonly name: string }[],
  volumes: ReadonlySet<string>,
): readonly DriverResource[] {
  return [
    ...agents.map(({ name }) => ({
      type: "pod",
      name,
      icon: "/icon/k8s.png",
      agentNames: [name],
    })),
    ...[...volumes]
      .toSorted()
      .map((name) => ({ type: "volume", name, icon: "/icon/folder.svg", agentNames: [] })),
  ];
}
