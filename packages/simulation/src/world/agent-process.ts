import { AgentLife, type ScriptStages } from "@slipway/agent/session";
import { silentLogger } from "@slipway/runtime";

import { Life } from "../engine/life.ts";
import { connectionOf, openSession } from "./agent-connection.ts";
import { askReinit } from "./ask-reinit.ts";
import { runFramesAgent } from "./frames-agent.ts";
import type { Setting } from "./setting.ts";
import { fromWireId } from "./wire-ids.ts";

export interface AgentProcessOptions {
  readonly workspaceId: string;
  readonly name: string;
  readonly token: string;
  /** The lead of its machine's clock, in milliseconds. */
  readonly clockAheadMs: number;
}

/** A time longer than any start script in this world. */
const foreverMs = 24 * 3_600_000;

/** An agent's process: the product's own agent with a simulated environment. */
export class AgentProcess implements AgentProcessOptions {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly token: string;
  readonly clockAheadMs: number;
  /** The owners for whom start scripts began, in order. */
  readonly ranFor: string[] = [];
  readonly #setting: Setting;
  readonly #life: Life;
  #isStuck = false;

  constructor(setting: Setting, { workspaceId, name, token, clockAheadMs }: AgentProcessOptions) {
    this.#setting = setting;
    this.id = setting.model.ids.next("p");
    this.workspaceId = workspaceId;
    this.name = name;
    this.token = token;
    this.clockAheadMs = clockAheadMs;
    this.#life = new Life(this.id, setting.scheduler, clockAheadMs);
  }

  get isAlive(): boolean {
    return this.#life.isAlive;
  }

  /** True while it waits for a stop script that never ends, as stock agents do. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  start(): void {
    const { trace, rules, random } = this.#setting;
    const { token, name, workspaceId } = this;
    trace.add(
      this.id,
      () => `starts as agent ${name} of ${workspaceId} with ${token}`,
      workspaceId,
    );
    const life = this.#life;
    const drawn = (): number => random.next();
    const dial = (signal: AbortSignal) => openSession(this.#setting, life, token, signal);
    const waitForReinit = (signal: AbortSignal) =>
      askReinit(this.#setting, life, { token, waits: true }, signal);
    if (rules.agent.kind === "frames") {
      const openScripts = this.#openScripts;
      void runFramesAgent({ dial, waitForReinit, openScripts, life, random: drawn });
      return;
    }
    const agent = new AgentLife({
      dial: async (signal) => connectionOf(await dial(signal)),
      waitForReinit,
      network: undefined,
      openSocket: undefined,
      containers: undefined,
      endStrays: async () => [],
      keepRun: async () => true,
      openScripts: ({ manifest: { agentId, workspace } }) =>
        this.#openScripts(workspace.ownerName, fromWireId(agentId)),
      decide: rules.agent.decide,
      machine: {
        token: () => token,
        user: { name: "user", home: "/", shell: "/bin/sh" },
        home: "/",
        environment: {},
        binDirectory: "/",
        inside: {
          serverUrl: "http://slipway.test",
          socketPath: undefined,
          commandDirectory: undefined,
        },
      },
      directories: { dataDir: "/", logDir: "/" },
      subsystems: [],
      clock: life,
      random: drawn,
      logger: silentLogger,
      serverUrl: "simulated",
    });
    const never = new Promise<never>(() => undefined);
    // Node.js keeps a combined signal while it has a listener: an agent that waits forever would never be released.
    const { over } = this.#setting.scheduler;
    void agent.run({ interrupted: never, forced: over });
  }

  end(): void {
    this.#life.end();
  }

  readonly #openScripts = (ownerName: string, agentId: string): ScriptStages => {
    const { random, conditions, rules } = this.#setting;
    const closing = new AbortController();
    return {
      start: async () => {
        this.#scriptsStart(ownerName, agentId);
        const takesMs = random.chance(0.9)
          ? random.between(10, 2_000)
          : random.between(2_000, 20_000);
        await this.#life.sleep(takesMs, closing.signal).catch(() => undefined);
        return "ok";
      },
      startSchedules: () => undefined,
      close: async () => closing.abort(new Error("closed")),
      stop: async (signal) => {
        const hangs = conditions.strikes("hanging-stop-script", 0.3);
        // Our agents kill such a script after a while.
        this.#isStuck ||= hangs && rules.agent.kind === "frames";
        const takesMs = hangs ? foreverMs : random.between(10, 1_000);
        await this.#life.sleep(takesMs, signal).catch(() => undefined);
        return "ok";
      },
    };
  };

  #scriptsStart(ownerName: string, agentId: string): void {
    const { trace } = this.#setting;
    const { id: processId, token, workspaceId } = this;
    this.ranFor.push(ownerName);
    trace.add(processId, () => `runs start scripts for ${ownerName} as ${agentId}`, workspaceId);
    this.#setting.tell((monitor) =>
      monitor.scriptsStarted?.({ processId, token, workspaceId, ownerName, agentId }),
    );
  }
}
