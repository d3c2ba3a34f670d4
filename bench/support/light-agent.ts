import { setTimeout as pause } from "node:timers/promises";

import { prebuildsOwner } from "@slipway/agent/session";
import type { AgentConnection } from "@slipway/sdk/agent";
import { Agent, Lifecycle_State } from "@slipway/wire/protobuf/gen/agent_pb";
import type { Manifest } from "@slipway/wire/protobuf/gen/agent_pb";
import { durationToMs, timestampFromMs } from "@slipway/wire/protobuf/time";

import { dialPlainly } from "./plain-web-socket.ts";
import type { ReinitSockets } from "./reinit-sockets.ts";

export interface LightAgentOptions {
  readonly serverUrl: string;
  readonly token: string;
  readonly sockets: ReinitSockets;
  /** True for an agent that waits for its owner but never opens a session. */
  readonly isOnlyStream: boolean;
  /** Resolves once agents may connect. */
  readonly mayDial: () => Promise<void>;
  readonly onFrame: (workspaceId: string) => void;
  /** Called when its start scripts would run, for the first time or for its new owner. */
  readonly onBegin: (manifest: Manifest, life: "first" | "claimed") => void;
}

/** The error of an answer that an agent must not get, which makes the measurement worthless. */
class WrongAnswer extends Error {
  override readonly name = "WrongAnswer";
}

/** The mark of an agent that decides by identity (docs/claims.md). */
const version = "v2.37.0+slipway.0.1.0";
const directory = "/";
const redialMs = 100;
const spreadMs = 1_000;

/**
 * An agent that looks to its server like the product's without scripts: the same calls over the same protocols, in
 * the same order, with each answer checked, but without the parts that only serve the agent's machine.
 */
export class LightAgent {
  readonly #options: LightAgentOptions;
  readonly #leaving = new AbortController();
  #connection: AgentConnection | undefined;
  #isAsked = false;
  /** The manifest of the last run of its start scripts. */
  #ranAs: Manifest | undefined;

  constructor(options: LightAgentOptions) {
    this.#options = options;
  }

  get isClaimed(): boolean {
    return this.#ranAs !== undefined && this.#ranAs.ownerUsername !== prebuildsOwner;
  }

  /** Lives until it leaves; rejects with `WrongAnswer` only. */
  async live(): Promise<void> {
    const waiting = this.#waitForFrames();
    if (!this.#options.isOnlyStream) await this.#stayConnected();
    await waiting;
  }

  leave(): void {
    this.#leaving.abort();
    void this.#connection?.close();
  }

  async #waitForFrames(): Promise<void> {
    const { sockets, serverUrl, token, onFrame } = this.#options;
    const { signal } = this.#leaving;
    while (!signal.aborted) {
      const answer = await sockets.wait(serverUrl, token, signal).catch(() => undefined);
      if (answer === undefined || answer.kind === "not-a-prebuild") return;
      if (answer.kind === "event") {
        onFrame(answer.event.workspaceId ?? "");
        this.#isAsked = true;
        void this.#connection?.close();
      }
      // Streams that end together were cut together, so redials are spread out as the product's agents do.
      await pause(answer.kind === "ended" ? spreadMs * Math.random() : redialMs);
    }
  }

  async #stayConnected(): Promise<void> {
    const { signal } = this.#leaving;
    while (!signal.aborted) {
      this.#isAsked = false;
      try {
        await this.#options.mayDial();
        await this.#serve(await dialPlainly(this.#options.serverUrl, this.#options.token, signal));
      } catch (error) {
        if (error instanceof WrongAnswer) throw error;
      }
      // After a frame the next session starts immediately.
      if (!this.#isAsked) await pause(redialMs);
    }
  }

  async #serve(connection: AgentConnection): Promise<void> {
    this.#connection = connection;
    try {
      await this.#greet(connection);
      await connection.closed;
    } finally {
      this.#connection = undefined;
      void connection.close();
    }
  }

  async #greet(connection: AgentConnection): Promise<void> {
    const { signal } = this.#leaving;
    const manifest = await connection.unary(Agent.method.getManifest, {}, signal);
    const life = this.#take(manifest);
    const startup = { version, expandedDirectory: directory };
    const echo = await connection.unary(Agent.method.updateStartup, { startup }, signal);
    requireAnswer(echo.version === version, `a startup of ${echo.version}`);
    await Promise.all([
      life === undefined ? undefined : this.#report(connection),
      connection.unary(Agent.method.getResourcesMonitoringConfiguration, {}, signal),
      this.#reportStats(connection),
    ]);
  }

  /** Decides by identity, as the product does; undefined if it continues as before. */
  #take(manifest: Manifest): "first" | "claimed" | undefined {
    const { ownerUsername, agentId } = manifest;
    requireAnswer(agentId.length === 16, `an agent id of ${agentId.length} bytes`);
    const before = this.#ranAs;
    if (before?.ownerUsername === ownerUsername) return undefined;
    const life = before === undefined ? "first" : "claimed";
    requireAnswer(life === "first" || !this.isClaimed, `a second owner, ${ownerUsername}`);
    this.#ranAs = manifest;
    this.#options.onBegin(manifest, life);
    return life;
  }

  async #report(connection: AgentConnection): Promise<void> {
    for (const state of [Lifecycle_State.STARTING, Lifecycle_State.READY]) {
      const lifecycle = { state, changedAt: timestampFromMs(Date.now()) };
      const { updateLifecycle } = Agent.method;
      const echo = await connection.unary(updateLifecycle, { lifecycle }, this.#leaving.signal);
      requireAnswer(echo.state === state, `a state of ${echo.state}`);
    }
  }

  /** Requests the interval first, then reports idle stats for the rest of the session. */
  async #reportStats(connection: AgentConnection): Promise<void> {
    const report = async (request: object): Promise<void> => {
      const { updateStats } = Agent.method;
      const answer = await connection.unary(updateStats, request, this.#leaving.signal);
      const waitMs = durationToMs(answer.reportInterval);
      requireAnswer(waitMs > 0, `an interval of ${waitMs} ms`);
      const timer = setTimeout(() => void report({ stats: {} }).catch(() => undefined), waitMs);
      void connection.closed.then(() => clearTimeout(timer));
    };
    await report({});
  }
}

function requireAnswer(holds: boolean, found: string): asserts holds {
  if (!holds) throw new WrongAnswer(`an agent got ${found}`);
}
