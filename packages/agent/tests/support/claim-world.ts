import { silentLogger } from "@slipway/runtime";
import { DialError, type ReinitAnswer } from "@slipway/sdk/agent";
import { createFakeClock, type FakeClock } from "@slipway/testkit";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { Agent, Lifecycle_State } from "@slipway/wire/protobuf/gen/agent_pb";

import type { OutputPipes } from "../../src/process/output-pipes.ts";
import type { ScriptStages } from "../../src/scripts/script.ts";
import { AgentLife } from "../../src/session/agent-life.ts";
import type { OpenScriptsInput } from "../../src/session/agent-session.ts";
import { decide } from "../../src/session/reinit/identity.ts";
import { ScriptedServer } from "./scripted-server.ts";

export interface ClaimWorldOptions {
  readonly owner?: string;
  /** The duration of the stop scripts; killing them ends them early. */
  readonly stopMs?: number;
}

/**
 * An agent without processes: an in-memory server, a clock that stands still, scripts that only leave a line.
 * The events are in `log`, in order.
 */
export class ClaimWorld {
  readonly clock: FakeClock = createFakeClock(0);
  readonly server = new ScriptedServer();
  readonly log: string[] = [];
  /** The times of the agent's dials, and of its requests for the reinit stream. */
  readonly dials: number[] = [];
  readonly asks: number[] = [];
  /** The pipes lent to the scripts of all lives. */
  readonly pipes = new Set<OutputPipes>();
  owner: string;
  /** The id of the agent's row; a digit. */
  row = 1;
  isUp = true;
  /** True while the workspace is stopped: the agent is refused. */
  isStopped = false;
  /** The immediate response to every request for the reinit stream; if undefined, requests wait for `answer`. */
  standing: ReinitAnswer | undefined;
  readonly #stopMs: number;
  #pending: ((answer: ReinitAnswer) => void) | undefined;
  readonly #interrupted = Promise.withResolvers<void>();
  readonly #forced = new AbortController();
  readonly #ended: Promise<void>;
  isOver = false;

  constructor({ owner = "prebuilds", stopMs = 0 }: ClaimWorldOptions = {}) {
    this.owner = owner;
    this.#stopMs = stopMs;
    this.#serve();
    const life = new AgentLife({
      dial: async () => {
        this.dials.push(Math.floor(this.clock.now()));
        if (!this.isUp) throw new DialError("tcp", "refused");
        if (this.isStopped) throw new DialError("authentication", "no", { fields: ["workspace"] });
        return this.server.connect();
      },
      waitForReinit: (signal) => this.#wait(signal),
      decide,
      network: undefined,
      openSocket: undefined,
      containers: undefined,
      endStrays: async () => [],
      keepRun: async () => true,
      openScripts: (input) => this.#openScripts(input),
      serverUrl: "http://localhost",
      machine: {
        token: () => "token",
        user: { name: "u", home: "/", shell: "/bin/sh" },
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
      clock: this.clock,
      logger: silentLogger,
      random: () => 0,
    });
    const interrupted = this.#interrupted.promise;
    this.#ended = life.run({ interrupted, forced: this.#forced.signal }).then(() => {
      this.isOver = true;
    });
  }

  /** The states reported by the agent, without the other fields. */
  get states(): readonly string[] {
    return this.log.filter((line) => line === line.toUpperCase());
  }

  /** The scripts that ran, with their owners: `start ada`, `stop prebuilds`. */
  get scripts(): readonly string[] {
    return this.log.filter((line) => line !== line.toUpperCase());
  }

  /** Answers the waiting request for the stream; without one, the answer is lost. */
  async answer(answer: ReinitAnswer): Promise<void> {
    this.#pending?.(answer);
    await this.pass(0);
  }

  /** Sends a frame that names the owner, or no owner. */
  async frame(ownerId?: string): Promise<void> {
    const event = { workspaceId: "w", ownerId, reason: "prebuild_claimed" };
    await this.answer({ kind: "event", event });
  }

  /** Gives the workspace to `owner` atomically, as a server does: a new row, and the old sessions end. */
  claim(owner: string, { closes = true }: { readonly closes?: boolean } = {}): void {
    this.owner = owner;
    this.row += 1;
    if (closes) this.cut();
  }

  /** Ends the current connection. */
  cut(): void {
    this.server.connections.at(-1)?.lose("cut");
  }

  /** Advances the clock; 0 runs everything that needs no time. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    // Each reaction may trigger another one without time passing.
    for (let turns = 0; turns < 20; turns += 1) await this.clock.advance(0);
  }

  interrupt(): void {
    this.#interrupted.resolve();
  }

  async end(): Promise<void> {
    this.interrupt();
    await this.pass(60_000);
    this.#forced.abort();
    await this.#ended;
  }

  #serve(): void {
    const { server } = this;
    server.on(Agent.method.getManifest, () => ({
      agentId: this.#id(),
      workspaceId: encodeUuid("00000000-0000-0000-0000-000000000001"),
      ownerUsername: this.owner,
    }));
    server.on(Agent.method.updateStartup, ({ startup }) => startup ?? {});
    server.on(Agent.method.updateLifecycle, ({ lifecycle }) => {
      this.log.push(stateName(lifecycle?.state));
      return lifecycle ?? {};
    });
    server.on(Agent.method.updateStats, () => ({}));
  }

  #id(): Uint8Array {
    return encodeUuid(`00000000-0000-0000-0000-00000000000${this.row}`);
  }

  #wait(signal: AbortSignal): Promise<ReinitAnswer> {
    this.asks.push(Math.floor(this.clock.now()));
    if (this.standing !== undefined) return Promise.resolve(this.standing);
    return new Promise((resolve, reject) => {
      this.#pending = (answer) => {
        this.#pending = undefined;
        resolve(answer);
      };
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  #openScripts({ manifest, host }: OpenScriptsInput): ScriptStages {
    const { ownerName } = manifest.workspace;
    this.pipes.add(host.commands.pipes);
    return {
      start: async () => {
        this.log.push(`start ${ownerName}`);
        return "ok";
      },
      startSchedules: () => undefined,
      close: async () => undefined,
      stop: async (signal) => {
        this.log.push(`stop ${ownerName}`);
        try {
          if (this.#stopMs > 0) await this.clock.sleep(this.#stopMs, signal);
          return "ok";
        } catch {
          return "failed";
        }
      },
    };
  }
}

function stateName(value = 0): string {
  const states: Readonly<Record<string, number>> = Lifecycle_State;
  return Object.keys(states).find((name) => states[name] === value) ?? "?";
}
