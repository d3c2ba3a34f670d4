import type { LifecycleState } from "@slipway/api/agents/agent";
import { lifecycleStates } from "@slipway/api/agents/agent";
import type { Random } from "@slipway/testkit/random";

import { type Beginning, users, versions } from "./history-world.ts";
import type { BuildState, Snapshot } from "./snapshot.ts";
import type { Step, TimedStep } from "./step.ts";

/** A kind of step: its weight where it is possible, and a random choice of one; undefined when there is none. */
interface StepKind {
  readonly weight: number;
  readonly choose: (now: Snapshot) => Step | undefined;
}

interface OpenWork {
  readonly build: string;
}

interface OpenSession {
  readonly agent: string;
}

/**
 * Writes a history step by step: chooses among the possible actions of servers, workers, agents and users in the
 * present state. Favors progress, because otherwise nothing would ever be claimed.
 */
export class Author {
  readonly #random: Random;
  readonly #beginning: Beginning;
  readonly #works = new Map<string, OpenWork>();
  readonly #sessions = new Map<string, OpenSession>();
  readonly #kinds: readonly StepKind[];
  #count = 0;

  constructor(random: Random, beginning: Beginning) {
    this.#random = random;
    this.#beginning = beginning;
    this.#kinds = [
      { weight: 3, choose: () => ({ type: "look" }) },
      { weight: 2, choose: () => this.#create() },
      { weight: 1, choose: () => this.#createTogether() },
      { weight: 1.5, choose: (now) => this.#build(now) },
      { weight: 0.7, choose: (now) => this.#cancel(now) },
      { weight: 6, choose: (now) => this.#acquire(now) },
      { weight: 6, choose: (now) => this.#finish(now) },
      { weight: 5, choose: (now) => this.#connect(now) },
      { weight: 0.7, choose: () => this.#withSession("beat") },
      { weight: 0.7, choose: () => this.#withSession("disconnect") },
      { weight: 0.5, choose: () => this.#withSession("sub-agent") },
      { weight: 1.5, choose: () => this.#startUp() },
      { weight: 9, choose: (now) => this.#report(now) },
      { weight: 1, choose: (now) => this.#grant(now) },
      { weight: 0.2, choose: () => ({ type: "promote", version: this.#pick(versions) }) },
      { weight: 0.2, choose: () => ({ type: "invalidate" }) },
      { weight: 0.4, choose: () => this.#restore() },
    ];
  }

  next(now: Snapshot): TimedStep {
    for (;;) {
      const step = this.#chooseKind().choose(now);
      if (step !== undefined) return { afterMs: this.#pause(), step };
    }
  }

  /** Records the outcome of a step. */
  note(step: Step, answer: string): void {
    if (step.type === "finish") this.#works.delete(step.work);
    if (answer === "refused" || answer === "nothing") return;
    if (step.type === "acquire") this.#works.set(step.work, { build: answer });
    if (step.type === "connect") this.#sessions.set(step.session, { agent: answer });
  }

  #chooseKind(): StepKind {
    const all = this.#kinds.reduce((sum, { weight }) => sum + weight, 0);
    let left = this.#random.next() * all;
    for (const kind of this.#kinds) {
      left -= kind.weight;
      if (left < 0) return kind;
    }
    throw new RangeError("no kinds of steps left");
  }

  /** Returns at least 10 ms, which leaves room to set the builds of one reconciliation apart. */
  #pause(): number {
    const random = this.#random;
    if (random.chance(0.85)) return 10 + random.below(1_000);
    return random.chance(0.7) ? 1_000 + random.below(20_000) : 20_000 + random.below(60_000);
  }

  #pick<const T>(items: readonly [T, ...T[]]): T {
    return this.#random.pick(items) ?? items[0];
  }

  #create(): Step {
    return { type: "create", ...this.#wanted(0.05), isPooled: this.#random.chance(0.85) };
  }

  #createTogether(): Step {
    const count = 2 + this.#random.below(3);
    const wanted = Array.from({ length: count }, () => this.#wanted(0.15));
    return { type: "create-together", wanted };
  }

  /** Returns a workspace to ask for, of which the name is a previous one by this chance. */
  #wanted(repeats: number): { readonly user: string; readonly name: string } {
    const isTaken = this.#count > 0 && this.#random.chance(repeats);
    if (!isTaken) this.#count += 1;
    return { user: this.#pick(users), name: `n${this.#count}` };
  }

  #build({ workspaces }: Snapshot): Step | undefined {
    const workspace = this.#random.pick(Object.keys(workspaces));
    if (workspace === undefined) return undefined;
    const owner = workspaces[workspace]?.owner;
    const user = owner === undefined || owner === "prebuilds" ? "admin" : owner;
    const transition = this.#pick(["start", "start", "stop", "stop", "delete"]);
    return { type: "build", user, workspace, transition };
  }

  #cancel({ builds }: Snapshot): Step | undefined {
    const open = Object.keys(builds).filter((name) => isOpen(builds[name]));
    const any = this.#random.chance(0.8) ? open : Object.keys(builds);
    const build = this.#random.pick(any);
    return build === undefined ? undefined : { type: "cancel", build };
  }

  #acquire({ builds }: Snapshot): Step | undefined {
    const waits = Object.values(builds).some(isOpen);
    if (!waits && this.#random.chance(0.9)) return undefined;
    // Only the machine on which something runs can build it.
    const isLocal = this.#beginning.driver === "process";
    const worker = isLocal ? "worker-1" : this.#pick(["worker-1", "worker-2"]);
    return { type: "acquire", work: this.#name("job"), worker };
  }

  #finish({ builds }: Snapshot): Step | undefined {
    const work = this.#random.pick([...this.#works.keys()]);
    const build = work === undefined ? undefined : this.#works.get(work)?.build;
    if (work === undefined || build === undefined) return undefined;
    const isCanceled = builds[build]?.canceledMs !== null;
    const isCut = isCanceled && this.#random.chance(0.7);
    const how = isCut ? "cancel" : this.#pick(["succeed", "succeed", "succeed", "succeed", "fail"]);
    return { type: "finish", work, how };
  }

  #connect({ agents }: Snapshot): Step | undefined {
    const live = Object.values(agents).filter(({ isDeleted }) => !isDeleted);
    const fresh = live.filter(({ lastConnectedMs }) => lastConnectedMs === null);
    const some = this.#random.chance(0.7) ? fresh : Object.values(agents);
    const token = this.#random.pick(some)?.token;
    return token === undefined
      ? undefined
      : { type: "connect", session: this.#name("session"), token };
  }

  #withSession(type: "beat" | "disconnect" | "sub-agent"): Step | undefined {
    const session = this.#random.pick([...this.#sessions.keys()]);
    return session === undefined ? undefined : { type, session };
  }

  #startUp(): Step | undefined {
    const session = this.#random.pick([...this.#sessions.keys()].slice(-4));
    const decides = this.#pick(["identity", "frames"]);
    return session === undefined ? undefined : { type: "startup", session, decides };
  }

  #report({ agents }: Snapshot): Step | undefined {
    const known = [...this.#sessions.keys()];
    // The newest sessions report the most.
    const some = this.#random.chance(0.7) ? known.slice(-4) : known;
    const session = this.#random.pick(some);
    const agent = session === undefined ? undefined : this.#sessions.get(session)?.agent;
    if (session === undefined || agent === undefined) return undefined;
    const next = following.get(agents[agent]?.lifecycle ?? "");
    const state =
      next !== undefined && this.#random.chance(0.75) ? next : this.#pick(lifecycleStates);
    const lateMs = this.#random.chance(0.8) ? 0 : this.#random.below(30_000);
    return { type: "report", session, state, lateMs };
  }

  #grant({ agents }: Snapshot): Step | undefined {
    const names = Object.keys(agents);
    const owed = names.filter((name) => agents[name]?.tookOver);
    const agent = this.#random.pick(this.#random.chance(0.8) ? owed : names);
    return agent === undefined ? undefined : { type: "grant", agent };
  }

  #restore(): Step | undefined {
    if (this.#beginning.driver !== "process") return undefined;
    return { type: "restore", worker: "worker-1" };
  }

  #name(kind: string): string {
    this.#count += 1;
    return `${kind} ${this.#count}`;
  }
}

/** The next state of an agent if all goes well. */
const following: ReadonlyMap<string, LifecycleState> = new Map([
  ["created", "starting"],
  ["starting", "ready"],
]);

function isOpen(build: BuildState | undefined): boolean {
  return build !== undefined && build.completedMs === null;
}
