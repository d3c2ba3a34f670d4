import type { ClaimTransaction, NewOwner, PrebuildChange } from "@slipway/server/claims";

import { Life } from "../engine/life.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import { costs } from "./costs.ts";
import type { Processor } from "./processor.ts";

/** A workspace of the pool; without an owner it waits. */
interface PooledWorkspace {
  readonly id: string;
  owner: NewOwner | undefined;
  lockedBy: PoolTransaction | undefined;
}

/** A rule that a test breaks, to show that the verdict on the burst notices. */
export type BurstBug =
  /** A claim changes the prebuilds that it saw, whoever has locked or claimed them meanwhile. */
  | "claims what it saw"
  /** A user may have several workspaces of one name. */
  | "names repeat"
  /** A response does not wait for the commit. */
  | "answers early";

interface PoolDatabaseOptions {
  readonly scheduler: Scheduler;
  readonly processor: Processor;
  readonly instances: number;
  readonly bug: BurstBug | undefined;
}

/** A statement: what it sees when it arrives, and what it does under locks once a core has executed it. */
interface Statement<Seen, Result> {
  readonly ms: number;
  readonly see: () => Seen;
  readonly execute: (seen: Seen) => Result;
}

/**
 * The pool of a preset in a database whose statements take processor time. A statement sees what was committed when it
 * arrived, and locks and changes rows later, as PostgreSQL does.
 */
export class PoolDatabase {
  readonly bug: BurstBug | undefined;
  readonly scheduler: Scheduler;
  readonly #processor: Processor;
  /** Finishes a statement whose sender has crashed. */
  readonly #life: Life;
  readonly #workspaces: ReadonlyMap<string, PooledWorkspace>;
  /** The prebuilds that no committed transaction has claimed, by age. */
  readonly #waiting: Set<PooledWorkspace>;
  /** The claimed workspaces by the owners and names that the claims gave them. */
  readonly #names = new Map<string, string>();

  constructor({ scheduler, processor, instances, bug }: PoolDatabaseOptions) {
    this.bug = bug;
    this.scheduler = scheduler;
    this.#processor = processor;
    this.#life = new Life("database", scheduler);
    const all = Array.from({ length: instances }, (_, index): PooledWorkspace => {
      return { id: `w${index + 1}`, owner: undefined, lockedBy: undefined };
    });
    this.#workspaces = new Map(all.map((one) => [one.id, one]));
    this.#waiting = new Set(all);
  }

  get workspaces(): readonly Readonly<PooledWorkspace>[] {
    return [...this.#workspaces.values()];
  }

  get waiting(): readonly PooledWorkspace[] {
    return [...this.#waiting];
  }

  workspace(id: string): PooledWorkspace | undefined {
    return this.#workspaces.get(id);
  }

  /** Returns the id of the workspace of an owner's name; undefined if the name is free. */
  named({ ownerId, name }: NewOwner): string | undefined {
    return this.bug === "names repeat" ? undefined : this.#names.get(`${ownerId}/${name}`);
  }

  /** Sends a statement; never resolves if the sender's life ends, but the database executes it. */
  async query<Seen, Result>(
    sender: Life,
    { ms, see, execute }: Statement<Seen, Result>,
  ): Promise<Result> {
    await sender.step(costs.networkMs, () => undefined);
    const seen = see();
    const executed = this.#processor.run(this.#life, ms).then(() => execute(seen));
    return executed.then((result) => sender.step(costs.networkMs, () => result));
  }

  /** Sends a statement that decides nothing here. */
  async spend(sender: Life, ms: number): Promise<void> {
    await this.query(sender, { ms, see: nothing, execute: nothing });
  }

  commit(claims: ReadonlyMap<string, NewOwner>): void {
    for (const [id, owner] of claims) {
      const workspace = this.#workspaces.get(id);
      if (workspace === undefined) continue;
      workspace.owner = owner;
      this.#waiting.delete(workspace);
      this.#names.set(`${owner.ownerId}/${owner.name}`, id);
    }
  }
}

/** The longest time before PostgreSQL notices that a server has crashed, in milliseconds. */
const noticeMs = 3_000;

/** A transaction of claims. It ends with its commit, or some time after the end of its server. */
export class PoolTransaction implements ClaimTransaction {
  readonly #database: PoolDatabase;
  readonly #server: Life;
  readonly #locked = new Set<PooledWorkspace>();
  readonly #claimed = new Map<string, NewOwner>();
  readonly #watching: Disposable;
  #isOpen = true;

  constructor(database: PoolDatabase, server: Life) {
    const { scheduler } = database;
    this.#database = database;
    this.#server = server;
    this.#watching = server.onEnd(() => {
      scheduler.after(scheduler.random.between(0, noticeMs), () => this.#end());
    });
  }

  async lockPrebuilds(
    _presetId: string,
    { count, except }: { readonly count: number; readonly except: readonly string[] },
  ): Promise<readonly string[]> {
    return this.#database.query(this.#server, {
      ms: costs.database.transaction + count * costs.database.lock,
      see: () => this.#database.waiting,
      execute: (seen) => {
        const free = seen.filter((one) => !except.includes(one.id) && this.#isFree(one));
        const locked = free.slice(0, count);
        for (const one of locked) {
          one.lockedBy = this;
          this.#locked.add(one);
        }
        return locked.map(({ id }) => id);
      },
    });
  }

  async claimPrebuilds(
    _presetId: string,
    changes: readonly PrebuildChange<NewOwner>[],
  ): Promise<ReadonlySet<string>> {
    return this.#database.query(this.#server, {
      ms: changes.length * costs.database.change,
      see: () => undefined,
      execute: () => {
        for (const { workspaceId, owner } of changes) this.#claimed.set(workspaceId, owner);
        return new Set(changes.map(({ workspaceId }) => workspaceId));
      },
    });
  }

  /**
   * Inserts the builds and commits; resolves to whether the claims are committed: not if a name was taken meanwhile, or if
   * the server counts as crashed.
   */
  async commit(): Promise<boolean> {
    const count = this.#claimed.size;
    const { insert, commit } = costs.database;
    await this.#database.spend(this.#server, count * insert);
    return this.#database.query(this.#server, {
      ms: count * commit,
      see: () => undefined,
      execute: () => {
        const commits =
          this.#isOpen &&
          this.#claimed.values().every((owner) => this.#database.named(owner) === undefined);
        if (commits) this.#database.commit(this.#claimed);
        this.#end();
        return commits;
      },
    });
  }

  /** Returns whether the transaction may lock a prebuild that it has seen. */
  #isFree({ owner, lockedBy }: PooledWorkspace): boolean {
    if (this.#database.bug === "claims what it saw") return true;
    return owner === undefined && lockedBy === undefined;
  }

  /** Releases its locks, and drops its claims unless they are committed. */
  #end(): void {
    this.#isOpen = false;
    this.#watching[Symbol.dispose]();
    for (const one of this.#locked) {
      if (one.lockedBy === this) one.lockedBy = undefined;
    }
    this.#locked.clear();
  }
}

function nothing(): void {
  // The statement only takes time.
}
