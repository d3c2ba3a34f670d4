import type { Readable } from "node:stream";

import {
  Backoff,
  type Clock,
  errorText,
  type Logger,
  settlesWithin,
  whenAborted,
} from "@slipway/runtime";

import { signalGroup } from "../process/process-groups.ts";
import type { CommandHost } from "../process/run-command.ts";
import {
  type Exit,
  type PreparedCommand,
  type SpawnedGroup,
  spawnGroup,
} from "../process/spawn-group.ts";
import { LineSplitter } from "../scripts/line-splitter.ts";
import type { DevcontainerAgent } from "./container.ts";
import type { KnownDevcontainer } from "./devcontainers.ts";
import type { SubAgentPlan, SubAgentSetup } from "./sub-agent-setup.ts";
import type { CreatedSubAgent, SubAgentServer } from "./sub-agent.ts";
import type { WorkspaceContainers } from "./workspace-containers.ts";

interface SubAgentsNeeds {
  readonly containers: Pick<WorkspaceContainers, "devcontainers" | "notify">;
  readonly setup: Pick<SubAgentSetup, "plan">;
  readonly server: SubAgentServer;
  readonly commands: CommandHost;
  /** Receives lines of the log of a dev container. */
  readonly log: (devcontainer: KnownDevcontainer, line: string) => void;
  readonly logger: Logger;
}

/** An agent that runs in a container, or is about to. */
interface Running {
  readonly containerId: string;
  readonly stopping: AbortController;
  readonly ended: Promise<void>;
}

/** The delays before an agent that could not start, or has ended, is started again. */
const backoffPolicy = { firstMs: 2_000, maxMs: 5 * 60_000, factor: 2, jitter: 0.2 };
/** An agent that has run for so long is started again at once. */
const stableMs = 60_000;
/** The time for the last output of an agent that has ended. */
const outputGraceMs = 1_000;
/** The time for an agent to say goodbye: its own shutdown takes up to 5 s. */
const endGraceMs = 7_000;
/** The number of names that are tried, and the text in the error about a name that is taken. */
const maxNames = 5;
const nameIsTaken = "workspace agent name";
/** The time for the server to end a sub-agent while this agent shuts down. */
const removeTimeoutMs = 5_000;

/**
 * The agents in dev containers: one for each that runs, from its start to its end. One that ends is started again, with the
 * same identity. They have no part in containers that are not dev containers of this workspace.
 */
export class SubAgents {
  readonly #needs: SubAgentsNeeds;
  readonly #running = new Map<string, Running>();
  /** The containers whose configuration wants no agent. */
  readonly #ignored = new Set<string>();
  #cleaned: Promise<void> | undefined;

  constructor(needs: SubAgentsNeeds) {
    this.#needs = needs;
  }

  /** Starts the agents of containers that have started, and ends those of containers that have ended. */
  follow(devcontainers: readonly KnownDevcontainer[]): void {
    const wanted = new Map(
      devcontainers.filter((known) => isReady(known)).map((known) => [known.id, known] as const),
    );
    for (const [id, { containerId }] of this.#running) {
      if (wanted.get(id)?.container?.id !== containerId) void this.end(id);
    }
    for (const known of wanted.values()) {
      const isIgnored = this.#ignored.has(known.container?.id ?? "");
      if (!isIgnored && !this.#running.has(known.id)) this.#start(known);
    }
  }

  /** Ends the agent of a dev container, and waits until it has ended. */
  async end(id: string): Promise<void> {
    const running = this.#running.get(id);
    running?.stopping.abort();
    await running?.ended;
  }

  /** Ends all. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.end(id)));
  }

  #start(known: KnownDevcontainer): void {
    const { logger } = this.#needs;
    const stopping = new AbortController();
    const ended = this.#serve(known, stopping.signal)
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) {
          logger.error({ error: errorText(error), devcontainer: known.name }, "sub-agent failed");
        }
      })
      .finally(() => this.#running.delete(known.id));
    this.#running.set(known.id, { containerId: known.container?.id ?? "", stopping, ended });
  }

  async #serve(known: KnownDevcontainer, signal: AbortSignal): Promise<void> {
    const { clock } = this.#needs.commands;
    const backoff = new Backoff(backoffPolicy);
    let created: CreatedSubAgent | undefined;
    try {
      for (;;) {
        const startedMs = clock.monotonic();
        try {
          const plan = await this.#needs.setup.plan(known, signal);
          if (plan === undefined) {
            this.#ignored.add(known.container?.id ?? "");
            return;
          }
          created ??= await this.#create(known, plan, signal);
          this.#show(known.id, { ...created, directory: plan.directory });
          await this.#run(known, await plan.prepare(created.token), signal);
        } catch (error) {
          signal.throwIfAborted();
          this.#report(known, errorText(error));
        }
        signal.throwIfAborted();
        if (clock.monotonic() - startedMs > stableMs) backoff.reset();
        await clock.sleep(backoff.next(), signal);
      }
    } finally {
      this.#show(known.id, undefined);
      // One that the template defines stays.
      if (created !== undefined && known.subAgentId === undefined) await this.#remove(created.id);
    }
  }

  async #create(
    known: KnownDevcontainer,
    plan: SubAgentPlan,
    signal: AbortSignal,
  ): Promise<CreatedSubAgent> {
    await this.#removeOld(signal);
    const created = await createByName(this.#needs.server, plan, signal);
    for (const error of created.appErrors) this.#report(known, error);
    return created;
  }

  /** Removes the sub-agents of an agent that was killed, whose names they keep. */
  async #removeOld(signal: AbortSignal): Promise<void> {
    const { server, containers } = this.#needs;
    const removeAll = async (): Promise<void> => {
      const ofTemplate = new Set(containers.devcontainers.all().map((one) => one.subAgentId));
      for (const id of await server.list(signal)) {
        if (!ofTemplate.has(id)) await server.remove(id, signal);
      }
    };
    this.#cleaned ??= removeAll().catch((error: unknown) => {
      this.#cleaned = undefined;
      throw error;
    });
    await this.#cleaned;
  }

  /** Runs an agent until it ends or the signal is aborted. Its log goes to that of the dev container. */
  async #run(
    known: KnownDevcontainer,
    command: PreparedCommand,
    signal: AbortSignal,
  ): Promise<void> {
    const { commands, log } = this.#needs;
    const group = await spawnGroup(command, {
      pipes: commands.pipes,
      joinOutput: true,
      hasInput: true,
    });
    commands.groups.started(group.pid);
    const stop = (): void => void group.stdin?.destroy();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      const read = readLines(group.stdout, (line) => log(known, line));
      const end = await exitOf(group, commands.clock, signal);
      await settlesWithin(read, outputGraceMs, commands.clock);
      if (signal.aborted) return;
      const how = end.kind === "exited" ? `code ${end.exitCode}` : end.signal;
      this.#report(known, `the agent in the container ended: ${how}`);
    } finally {
      signal.removeEventListener("abort", stop);
      group.stdout.destroy();
      commands.groups.leaderEnded(group.pid);
    }
  }

  #show(id: string, agent: DevcontainerAgent | undefined): void {
    const { containers } = this.#needs;
    const shown = agent && { id: agent.id, name: agent.name, directory: agent.directory };
    containers.devcontainers.setAgent(id, shown);
    containers.notify();
  }

  #report(known: KnownDevcontainer, text: string): void {
    this.#needs.logger.warn({ devcontainer: known.name, error: text }, "sub-agent not running");
    this.#needs.log(known, text);
  }

  /** Ends a sub-agent at the server, which does so by itself when the workspace stops. */
  async #remove(id: string): Promise<void> {
    try {
      await this.#needs.server.remove(id, AbortSignal.timeout(removeTimeoutMs));
    } catch (error) {
      this.#needs.logger.debug({ error: errorText(error), id }, "sub-agent not removed");
    }
  }
}

/** Waits for an agent to end; kills it if it has not ended a while after the signal, as with an engine that hangs. */
async function exitOf(group: SpawnedGroup, clock: Clock, signal: AbortSignal): Promise<Exit> {
  await Promise.race([group.exit, whenAborted(signal)]);
  if (!signal.aborted) return group.exit;
  if (!(await settlesWithin(group.exit, endGraceMs, clock))) signalGroup(group.pid, "SIGKILL");
  return group.exit;
}

/** Reports whether an agent belongs into a dev container: it runs, and nothing is being done with it. */
function isReady({ phase, container }: KnownDevcontainer): boolean {
  const isSettled = phase.kind === "idle" || phase.kind === "failed";
  return isSettled && container?.running === true;
}

/** Creates a sub-agent with the first of its names that is free (docs/protocol/agent.md §8.7). */
async function createByName(
  server: SubAgentServer,
  { names, ...agent }: SubAgentPlan,
  signal: AbortSignal,
): Promise<CreatedSubAgent> {
  const [last = "", ...others] = names.slice(0, maxNames).toReversed();
  for (const name of others.toReversed()) {
    try {
      return await server.create({ ...agent, name }, signal);
    } catch (error) {
      if (!errorText(error).includes(nameIsTaken)) throw error;
    }
  }
  return server.create({ ...agent, name: last }, signal);
}

async function readLines(stream: Readable, take: (line: string) => void): Promise<void> {
  const lines = new LineSplitter();
  try {
    for await (const chunk of stream) for (const line of lines.push(chunk)) take(line);
    for (const line of lines.close()) take(line);
  } catch {
    // Destroyed: the rest of the log is lost.
  }
}
