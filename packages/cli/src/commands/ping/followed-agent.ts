import { errorText, Scope } from "@slipway/runtime";
import type { Pong } from "@slipway/sdk/workspace";

import type { ClientNeeds } from "../../command/needs.ts";
import { type AgentReference, chooseAgent } from "../../resources/network/agent-reference.ts";
import { type OpenedAgent, openMeasuredAgent } from "../../resources/network/reach-agent.ts";
import { replacementOf } from "../../resources/network/watch-agent.ts";
import { fullName } from "../../resources/workspaces/workspace-reference.ts";

/** The minimum time between two requests to the server about an agent that does not answer. */
const lookEveryMs = 1_000;

interface FollowOptions {
  readonly reference: AgentReference;
  readonly disableDirect: boolean;
}

/**
 * An agent of a workspace and, once the workspace has been restarted, the agent that replaces it. Disposing of it
 * closes the connection.
 */
export class FollowedAgent implements AsyncDisposable {
  readonly #options: FollowOptions;
  readonly #needs: ClientNeeds;
  readonly #looking = new Scope();
  #opened: OpenedAgent;
  /** The reason why a replaced agent has no successor yet. */
  #gone: string | undefined;
  #lookedAt = -Infinity;

  private constructor(opened: OpenedAgent, options: FollowOptions, needs: ClientNeeds) {
    this.#opened = opened;
    this.#options = options;
    this.#needs = needs;
  }

  /** Opens the agent; throws the errors of `openMeasuredAgent`. */
  static async open(options: FollowOptions, needs: ClientNeeds): Promise<FollowedAgent> {
    const opened = await openMeasuredAgent(options.reference, options, needs);
    return new FollowedAgent(opened, options, needs);
  }

  /** The current agent. */
  get opened(): OpenedAgent {
    return this.#opened;
  }

  get name(): string {
    const { workspace, agent } = this.#opened;
    return `${fullName(workspace)}.${agent.name}`;
  }

  /**
   * Pings the agent. A failure triggers a check, concurrent with further pings, whether the agent has been replaced:
   * then pings fail with the state of the workspace until the new one is reached.
   */
  async ping(signal: AbortSignal): Promise<Pong> {
    try {
      if (this.#gone !== undefined) throw new Error(this.#gone);
      return await this.#opened.connection.ping(signal);
    } catch (error) {
      this.#lookLater();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#looking.close();
    await this.#opened[Symbol.asyncDispose]();
  }

  #lookLater(): void {
    const now = this.#needs.clock.monotonic();
    if (now - this.#lookedAt < lookEveryMs) return;
    this.#lookedAt = Infinity;
    this.#looking.run(async (signal) => {
      try {
        this.#gone = await this.#look({ ...this.#needs, signal });
      } catch (error) {
        this.#gone = errorText(error);
      }
      this.#lookedAt = this.#needs.clock.monotonic();
    });
  }

  /** Switches to the new agent if there is one; returns the reason if it cannot yet. */
  async #look(needs: ClientNeeds): Promise<string | undefined> {
    const now = await replacementOf(this.#opened, needs);
    if (now === undefined) return undefined;
    const { status } = now.latest_build;
    if (status !== "running") return `the workspace is ${status}`;
    const { name, status: agentStatus } = chooseAgent(now, this.#options.reference.agent);
    if (agentStatus !== "connected") return `agent ${name} is ${agentStatus}`;
    const reference = { ...this.#options.reference, workspace: now.id };
    const opened = await openMeasuredAgent(reference, this.#options, needs);
    const old = this.#opened;
    this.#opened = opened;
    const { err } = needs.terminal;
    err.line(err.colors.yellow(`workspace ${fullName(now)} has been restarted`));
    await old[Symbol.asyncDispose]();
    return undefined;
  }
}
