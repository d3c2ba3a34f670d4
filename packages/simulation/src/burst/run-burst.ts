import type { NewOwner } from "@slipway/server/claims";

import { Life } from "../engine/life.ts";
import { Scheduler } from "../engine/scheduler.ts";
import { type BurstAnswer, BurstServer } from "./burst-server.ts";
import { costs } from "./costs.ts";
import { type BurstBug, PoolDatabase } from "./pool-database.ts";
import { Processor } from "./processor.ts";

/** A burst of claims from a full pool, whose size is the number of claims. */
export interface BurstOptions {
  readonly seed: number;
  /** The number of users, each of whom asks for one workspace and repeats the request until they have it. */
  readonly claims: number;
  readonly servers: number;
  /** The time over which the requests are spread, in milliseconds; 0 for all at once. */
  readonly overMs: number;
  /** True to kill a server, for good, once half of the workspaces are claimed. */
  readonly kills: boolean;
  /** The cores of the database's machine, or of the one that everything shares, agents and clients included. */
  readonly cores: number;
  readonly isShared: boolean;
  readonly bug?: BurstBug;
}

/** The end of a burst. */
export interface BurstOutcome {
  /** The times from the first request of a user until they have their workspace, in milliseconds, ascending. */
  readonly times: readonly number[];
  readonly lastMs: number;
  /** The requests that were told to come back later. */
  readonly busy: number;
  /** The requests whose server was killed before it responded. */
  readonly cut: number;
  /** The users that had no workspace when the simulation gave up. */
  readonly unserved: number;
  /** The users that were told of a workspace which is not theirs. */
  readonly lost: number;
  /** The workspaces that two users were told of, and users that own two. */
  readonly doubled: number;
}

/** The time after the last first request at which the simulation gives up. */
const giveUpMs = 2 * 60_000;
/** The longest time until an agent connects again that was told of its owner, or whose server was killed. */
const redialMs = 100;
/** The longest pause of a user before the request is repeated whose server was killed. */
const repeatMs = 1_000;
/** The share of a pause by which users differ. */
const jitter = 0.2;

/** Simulates a burst of claims; the processor times of its steps are measured ones (`costs`). */
export async function runBurst(options: BurstOptions): Promise<BurstOutcome> {
  const burst = new Burst(options);
  try {
    return await burst.run();
  } finally {
    burst.scheduler.close();
  }
}

class Burst {
  readonly scheduler: Scheduler;
  readonly #options: BurstOptions;
  readonly #database: PoolDatabase;
  readonly #servers: readonly BurstServer[];
  /** The life and the processor of users and agents, whose time counts only where they share the machine. */
  readonly #outside: Life;
  readonly #shared: Processor | undefined;
  /** The server of each agent's stream. */
  readonly #streams = new Map<string, BurstServer>();
  readonly #told = new Map<number, string>();
  readonly #times: number[] = [];
  #lastMs = 0;
  #busy = 0;
  #cut = 0;

  constructor(options: BurstOptions) {
    const { seed, claims, servers, cores, isShared, bug } = options;
    const scheduler = new Scheduler(seed);
    const processor = new Processor(scheduler, cores);
    this.scheduler = scheduler;
    this.#options = options;
    this.#outside = new Life("outside", scheduler);
    this.#shared = isShared ? processor : undefined;
    this.#database = new PoolDatabase({ scheduler, processor, instances: claims, bug });
    this.#servers = Array.from({ length: servers }, (_, index) => {
      return new BurstServer({
        name: `server-${index + 1}`,
        database: this.#database,
        processor: this.#shared ?? new Processor(scheduler, 1),
        onClaimed: (id) => void this.#reinitialize(id),
      });
    });
    for (const { id } of this.#database.workspaces) this.#streams.set(id, this.#pickServer());
  }

  async run(): Promise<BurstOutcome> {
    const { claims, overMs } = this.#options;
    for (let user = 0; user < claims; user += 1) {
      this.#outside.after((overMs * user) / claims, () => void this.#use(user));
    }
    while (this.#times.length < claims && this.scheduler.elapsedMs < overMs + giveUpMs) {
      await this.scheduler.run(1_000);
    }
    return this.#judge();
  }

  /** Requests a workspace as a user, again and again until there is one. */
  async #use(user: number): Promise<void> {
    const { random } = this.scheduler;
    const owner = { ownerId: `u${user}`, name: "dev" };
    const sinceMs = this.scheduler.elapsedMs;
    for (;;) {
      const answer = await this.#ask(owner);
      const id = answer?.kind === "claimed" ? answer.id : undefined;
      const found = answer?.kind === "taken" ? this.#database.named(owner) : id;
      if (found !== undefined) return this.#note(user, found, sinceMs);
      if (answer?.kind === "busy") this.#busy += 1;
      if (answer === undefined) this.#cut += 1;
      const pauseMs =
        answer?.kind === "busy" ? answer.retryAfterMs : random.between(0, repeatMs) + 1;
      await this.#outside.sleep(pauseMs * (1 + jitter * random.next()), this.#outside.forever);
    }
  }

  /** Sends a request to a server that is up; resolves to undefined if it is killed before it responds. */
  async #ask(owner: NewOwner): Promise<BurstAnswer | undefined> {
    await this.#shared?.run(this.#outside, costs.others / 2);
    const server = this.#pickServer();
    await this.#outside.step(costs.networkMs, () => undefined);
    const { promise, resolve } = Promise.withResolvers<BurstAnswer | undefined>();
    if (!server.life.isAlive) return undefined;
    using _ = server.life.onEnd(() => resolve(undefined));
    void server.create(owner).then(resolve);
    const answer = await promise;
    await this.#outside.step(costs.networkMs, () => undefined);
    return answer;
  }

  #note(user: number, id: string, sinceMs: number): void {
    this.#told.set(user, id);
    this.#lastMs = this.scheduler.elapsedMs;
    this.#times.push(this.#lastMs - sinceMs);
    const { kills, claims } = this.#options;
    if (kills && this.#times.length === Math.ceil(claims / 2)) this.#kill();
  }

  /** Kills a server; its agents connect to the others. */
  #kill(): void {
    const [killed] = this.#servers;
    killed?.life.end();
    for (const [id, server] of this.#streams) {
      if (server !== killed) continue;
      const delayMs = redialMs * (1 - jitter * this.scheduler.random.next());
      this.#outside.after(delayMs, () => void this.#connect(id, "reconnect"));
    }
  }

  /** Tells a claimed agent of its owner, and serves its next session. */
  async #reinitialize(id: string): Promise<void> {
    const server = this.#streams.get(id);
    // The agents of a killed server learn of their owners when they are back.
    if (server === undefined || !server.life.isAlive) return;
    await server.thread.run(costs.server.frame);
    await this.#database.spend(server.life, costs.database.frame);
    await this.#shared?.run(this.#outside, costs.others / 2);
    this.#outside.after(redialMs, () => void this.#connect(id, "session"));
  }

  async #connect(id: string, kind: "reconnect" | "session"): Promise<void> {
    const server = this.#pickServer();
    this.#streams.set(id, server);
    await server.thread.run(costs.server[kind]);
    await this.#database.spend(server.life, costs.database[kind]);
  }

  #pickServer(): BurstServer {
    const server = this.scheduler.random.pick(this.#servers.filter(({ life }) => life.isAlive));
    if (server === undefined) throw new Error("no server is left");
    return server;
  }

  #judge(): BurstOutcome {
    const { claims } = this.#options;
    const owners = new Map(this.#database.workspaces.map(({ id, owner }) => [id, owner]));
    const owned = [...owners.values()].flatMap((owner) => owner?.ownerId ?? []);
    const told = [...this.#told];
    const twice = told.length - new Set(this.#told.values()).size;
    return {
      times: this.#times.toSorted((a, b) => a - b),
      lastMs: this.#lastMs,
      busy: this.#busy,
      cut: this.#cut,
      unserved: claims - told.length,
      lost: told.filter(([user, id]) => owners.get(id)?.ownerId !== `u${user}`).length,
      doubled: twice + owned.length - new Set(owned).size,
    };
  }
}
