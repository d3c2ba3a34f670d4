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
import { DriverError, EngineError } from "../errors.ts";
import { type AgentNeeds, runAgent } from "./agent-container.ts";
import type { DockerDriverOptions } from "./docker-options.ts";
import { encodeState } from "./driver-state.ts";
import { type FoundContainer, inspectContainer } from "./engine-containers.ts";
import type { EngineContext } from "./engine-context.ts";
import { openEngine, readInfo } from "./engine.ts";
import { ImageFacts } from "./image-facts.ts";
import { hashToken, labelNames } from "./marks.ts";
import { provideOwnNetwork } from "./network.ts";
import { planAgents } from "./plan-agents.ts";
import { requirePermitted } from "./policy.ts";
import { removeUnused, SharedResources } from "./shared-resources.ts";
import { socketProblem } from "./socket-problem.ts";
import { watchContainers } from "./watch-containers.ts";
import { endContainers, findContainers, shortId } from "./workspace-containers.ts";
import { removeImages } from "./workspace-images.ts";
import { findVolumes, removeVolumes } from "./workspace-volumes.ts";

const silent: DriverLog = { write: () => undefined };

/**
 * Runs each agent in a container of a Docker Engine or of podman. The engine and the labels on what it runs hold the
 * truth: the driver keeps nothing between its calls but facts about images.
 */
export class DockerDriver implements Driver {
  readonly name = "docker";
  readonly #options: DockerDriverOptions;
  readonly #facts = new ImageFacts();
  readonly #shared = new SharedResources();

  constructor(options: DockerDriverOptions) {
    this.#options = options;
  }

  /** The reason why the engine's socket cannot be used; whether an engine answers there shows at its first use. */
  get refusal(): string | undefined {
    const { endpoint } = this.#options;
    return "socketPath" in endpoint ? socketProblem(endpoint.socketPath) : undefined;
  }

  async plan(
    { template, agents, purpose }: PlanInput,
    log: DriverLog,
    signal: AbortSignal,
  ): Promise<DriverPlan> {
    // A build tests everything when it starts.
    if (purpose === "push") {
      await this.#use(log, signal, async (context) => {
        const info = await readInfo(context.engine, signal);
        const permitted = await requirePermitted(agents, this.#options, info);
        const { directory } = template;
        await planAgents(context, this.#needs(info), { agents: permitted, directory }, signal);
      });
    }
    const volumes = agents.flatMap(({ container }) => container?.volumes ?? []);
    return { resources: resourcesOf(agents, new Set(volumes.map((volume) => volume.name))) };
  }

  async start(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    return this.#use(log, signal, async (context) => {
      const running = await this.#endOthers(context, build, signal);
      const missing = build.agents.filter(({ token }) => !running.has(hashToken(token)));
      const started = new Map(running);
      if (missing.length > 0) {
        const info = await readInfo(context.engine, signal);
        const permitted = await requirePermitted(missing, this.#options, info);
        const containers = new Map(permitted.map(({ name, container }) => [name, container]));
        for (const agent of missing) {
          const container = containers.get(agent.name);
          if (container === undefined) continue;
          const subject = { build, agent: { ...agent, container } };
          const id = await runAgent(context, this.#needs(info), subject, signal);
          started.set(hashToken(agent.token), id);
        }
      }
      return this.#result(context, build, started, signal);
    });
  }

  async stop(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    return this.#run(log, signal, async (context) => {
      await endContainers(context, build, () => true, signal);
      await this.#shared.remove(() => removeUnused(context, "stop", signal));
      return this.#result(context, { ...build, agents: [] }, new Map(), signal);
    });
  }

  async delete(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    return this.#run(log, signal, async (context) => {
      await endContainers(context, build, () => true, signal);
      await removeVolumes(context, build.workspace.id, signal);
      await removeImages(context, build.workspace.id, signal);
      await this.#shared.remove(() => removeUnused(context, "delete", signal));
      return { state: undefined, resources: [] };
    });
  }

  async observe(
    { workspaceId, agents, state }: ObserveInput,
    signal: AbortSignal,
  ): Promise<WorkspaceObservation> {
    return this.#run(silent, signal, async (context) => {
      const found = await findContainers(context, { workspaceId, state }, signal);
      const observed = agents.map(async ({ id, token }) => {
        const container = found.find(({ labels }) => hasToken(labels, token));
        const inspected =
          container && (await inspectContainer(context.engine, container.id, signal));
        if (inspected?.isRunning !== true) return { id, status: "absent" } as const;
        const place = `container ${shortId(inspected.id)}`;
        return { id, status: "running", sinceMs: inspected.startedAtMs, place } as const;
      });
      return { agents: await Promise.all(observed) };
    });
  }

  async watch(report: (event: DriverEvent) => void, signal: AbortSignal): Promise<void> {
    await this.#run(silent, signal, ({ engine, deploymentId }) =>
      watchContainers(engine, deploymentId, report, signal),
    );
  }

  /**
   * Returns the address of this machine on the driver's network, at which a server can listen for containers. Creates
   * the network if need be. Undefined if the engine is elsewhere or the operator chose another network, and for podman,
   * whose networks have an address only while containers run.
   */
  async gatewayAddress(signal: AbortSignal): Promise<string | undefined> {
    const { endpoint, network } = this.#options;
    if ("url" in endpoint || network !== undefined) return undefined;
    return this.#use(silent, signal, async (context) => {
      if (context.engine.isPodman) return undefined;
      if ((await readInfo(context.engine, signal)).isRootless) return undefined;
      const { gateway } = await provideOwnNetwork(context, signal);
      return gateway === "" ? undefined : gateway;
    });
  }

  /** Opens the engine for a task, and translates its refusals. */
  async #run<T>(
    log: DriverLog,
    signal: AbortSignal,
    task: (context: EngineContext) => Promise<T>,
  ): Promise<T> {
    const { endpoint, deploymentId, clock, logger } = this.#options;
    try {
      const engine = await openEngine(endpoint, signal);
      return await task({ engine, deploymentId, clock, logger, log });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const code = error.status === 503 ? "unavailable" : "not-startable";
      throw new DriverError(code, `Docker: ${error.message}`, { cause: error });
    }
  }

  /** Does the same for a task that uses what all workspaces share. */
  #use<T>(
    log: DriverLog,
    signal: AbortSignal,
    task: (context: EngineContext) => Promise<T>,
  ): Promise<T> {
    return this.#run(log, signal, (context) => this.#shared.use(() => task(context), signal));
  }

  #needs(info: AgentNeeds["info"]): AgentNeeds {
    return { options: this.#options, facts: this.#facts, info };
  }

  /**
   * Ends the containers that do not belong to this build, and those that have ended. Returns the running ones by the
   * hash of their token: a claimed workspace's agent has a new id and the old token.
   */
  async #endOthers(
    context: EngineContext,
    build: DriverBuild,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>> {
    const wanted = new Set(build.agents.map(({ token }) => hashToken(token)));
    const isKept = ({ labels, status }: FoundContainer): boolean =>
      status === "running" && wanted.has(labels[labelNames.tokenHash] ?? "");
    const kept = await endContainers(context, build, (one) => !isKept(one), signal);
    for (const { id, labels } of kept) {
      const name = labels[labelNames.agentName] ?? "";
      const line = `agent ${name} is already running in container ${shortId(id)}`;
      context.log.write("info", "Starting agents", line);
    }
    return new Map(kept.map(({ id, labels }) => [labels[labelNames.tokenHash] ?? "", id]));
  }

  async #result(
    context: EngineContext,
    build: DriverBuild,
    ids: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<DriverResult> {
    const containers = build.agents.flatMap(({ name, token }) => {
      const id = ids.get(hashToken(token));
      return id === undefined ? [] : [{ agent: name, id }];
    });
    const volumes = await findVolumes(context, build.workspace.id, signal);
    const names = volumes.map(({ labels }) => labels[labelNames.volume] ?? "");
    return {
      state: encodeState({ containers }),
      resources: resourcesOf(build.agents, new Set(names)),
    };
  }
}

function hasToken(labels: FoundContainer["labels"], token: string): boolean {
  return labels[labelNames.tokenHash] === hashToken(token);
}

/** Lists a container for each agent, and the volumes, which stay when the agents stop. */
function resourcesOf(
  agents: readonly { readonly name: string }[],
  volumes: ReadonlySet<string>,
): readonly DriverResource[] {
  return [
    ...agents.map(({ name }) => ({
      type: "container",
      name,
      icon: "/icon/docker.svg",
      agentNames: [name],
    })),
    ...[...volumes]
      .toSorted()
      .map((name) => ({ type: "volume", name, icon: "/icon/folder.svg", agentNames: [] })),
  ];
}
