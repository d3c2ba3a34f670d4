import { Life } from "../engine/life.ts";
import type { ReplicaHints } from "../network/hints.ts";
import type { Commit } from "../store/database.ts";
import type { AgentProcess } from "./agent-process.ts";
import type { Monitor, ReinitReply, ScriptRun } from "./monitor.ts";
import type { Hazard } from "./profile.ts";
import type { Replica } from "./replica.ts";
import type { World } from "./world.ts";

/** The longest time that a server is down or does not listen, in milliseconds. */
const longestOutageMs = 15_000;

/** The probability of a fault at a critical moment, when a crash does the most damage. */
const strikeChance = 0.04;
/** The longest delay after such a moment, in milliseconds. */
const soonMs = 20;

/** Injects the faults of a world until it is calm: at random, and where they do the most damage. */
export class FaultInjector implements Monitor {
  readonly #world: World;
  readonly #life: Life;

  constructor(world: World) {
    this.#world = world;
    this.#life = new Life("fault-injector", world.setting.scheduler);
  }

  begin(): void {
    void this.#repeat("replica-crash", 40_000, () => this.#crashReplica());
    void this.#repeat("agent-crash", 20_000, () => {
      const { compute, setting } = this.#world;
      const process = setting.random.pick(compute.processes);
      if (process?.isAlive) compute.crash(process);
    });
    void this.#repeat("cut", 6_000, () => this.#pickLink()?.cut());
    void this.#repeat("half-open", 10_000, () => this.#pickLink()?.halfOpen());
    void this.#repeat("listener-loss", 20_000, () => this.#loseListener());
  }

  /** Crashes the server that committed, by chance, before it learns of the commit. */
  committed({ by }: Commit): void {
    const replica = this.#world.replicas.find(({ life }) => life === by);
    const { conditions } = this.#world.setting;
    if (replica !== undefined && conditions.strikes("replica-crash", strikeChance)) {
      this.#crash(replica);
    }
  }

  answered({ token }: ReinitReply): void {
    this.#crashSoon(({ token: own }) => own === token);
  }

  scriptsStarted({ processId }: ScriptRun): void {
    this.#crashSoon(({ id }) => id === processId);
  }

  #crashSoon(isMeant: (process: AgentProcess) => boolean): void {
    const { compute, setting } = this.#world;
    if (!setting.conditions.strikes("agent-crash", strikeChance)) return;
    const process = compute.processes.find(isMeant);
    if (process === undefined) return;
    this.#life.after(setting.random.between(0, soonMs), () => {
      if (process.isAlive) compute.crash(process);
    });
  }

  /** Repairs everything. */
  end(): void {
    for (const replica of this.#world.replicas) {
      replica.restart();
      this.#listenAgain(replica.hints);
    }
  }

  async #repeat(hazard: Hazard, everyMs: number, strike: () => void): Promise<void> {
    const { random, conditions } = this.#world.setting;
    while (conditions.has(hazard)) {
      await this.#life.sleep(random.between(0, 2 * everyMs), this.#life.forever);
      if (conditions.has(hazard)) strike();
    }
  }

  #pickLink() {
    const { network, random } = this.#world.setting;
    return random.pick(network.links);
  }

  #crashReplica(): void {
    const { replicas, setting } = this.#world;
    const replica = setting.random.pick(replicas);
    if (replica?.life.isAlive) this.#crash(replica);
  }

  #crash(replica: Replica): void {
    replica.crash();
    const downMs = this.#world.setting.random.between(0, longestOutageMs);
    this.#life.after(downMs, () => replica.restart());
  }

  #loseListener(): void {
    const { replicas, setting } = this.#world;
    const { random, trace } = setting;
    const hints = random.pick(replicas)?.hints;
    if (hints === undefined || !hints.isListening) return;
    trace.add(hints.life.name, () => "loses its listening connection");
    hints.isListening = false;
    this.#life.after(random.between(0, longestOutageMs), () => this.#listenAgain(hints));
  }

  #listenAgain(hints: ReplicaHints): void {
    if (hints.isListening) return;
    hints.isListening = true;
    const { hearsAllAfterLoss } = this.#world.setting.rules;
    if (hints.life.isAlive && hearsAllAfterLoss) hints.hearAll();
  }
}
