import { handsOverByJob } from "@slipway/testkit";

import { Life } from "../engine/life.ts";
import { Scheduler } from "../engine/scheduler.ts";
import type { SessionStart } from "../model/agents.ts";
import { Model } from "../model/model.ts";
import { ownRules } from "../model/rules.ts";
import { type BuildRow, createTables } from "../model/tables.ts";
import { Database } from "../store/database.ts";
import type { Transaction } from "../store/transaction.ts";
import { type Beginning, type HistoryWorld, users, versions } from "./history-world.ts";
import { readModelRows } from "./model-rows.ts";
import type { ModelState } from "./model-state.ts";
import { takeModelStep } from "./model-steps.ts";
import { modelViews } from "./model-views.ts";
import { nameRows } from "./name-rows.ts";
import { Names } from "./names.ts";
import { readViews, type Snapshot } from "./snapshot.ts";
import type { Step } from "./step.ts";

/** The simulation's model, without faults or delays. */
export class ModelWorld implements HistoryWorld, ModelState {
  readonly model: Model;
  readonly names = new Names();
  readonly works = new Map<string, { readonly build: BuildRow; readonly workerId: string }>();
  readonly sessions = new Map<string, SessionStart>();
  readonly #scheduler = new Scheduler(1);
  readonly #life = new Life("history", this.#scheduler);

  private constructor({ driver, agentNames }: Beginning) {
    const tables = createTables();
    const db = new Database({
      scheduler: this.#scheduler,
      tables: Object.values(tables),
      delayMs: () => 0,
      breakChance: () => 0,
    });
    const claimsAtOnce = !handsOverByJob(driver);
    this.model = new Model({
      db,
      tables,
      rules: ownRules,
      agentNames,
      claimsAtOnce,
      keepsProcesses: driver === "external",
    });
  }

  static async open(beginning: Beginning): Promise<ModelWorld> {
    const world = new ModelWorld(beginning);
    const { templates, presets } = world.model.tables;
    await world.query((trx) => {
      trx.insert(templates, { id: "template", activeVersionId: "v1" });
      for (const version of versions) {
        trx.insert(presets, {
          id: `preset of ${version}`,
          versionId: version,
          desiredInstances: beginning.instances,
          invalidateAfterMs: beginning.expireAfterSeconds * 1000,
          lastInvalidatedAtMs: undefined,
          status: "healthy",
        });
      }
    });
    for (const version of versions) {
      world.names.add(version, version);
      world.names.add(`preset of ${version}`, `preset of ${version}`);
    }
    for (const name of [...users, "admin", "worker-1", "worker-2"]) world.names.add(name, name);
    return world;
  }

  get nowMs(): number {
    return this.#scheduler.nowMs;
  }

  async pass(ms: number): Promise<void> {
    await this.#scheduler.run(ms);
  }

  take(step: Step): Promise<string> {
    return takeModelStep(this, step);
  }

  async read(turn: number): Promise<Snapshot> {
    const named = nameRows(this.names, readModelRows(this));
    return { ...named, views: await readViews(modelViews(this), turn) };
  }

  query<T>(statement: (trx: Transaction) => T): Promise<T> {
    return this.#atOnce(this.model.db.query(this.#life, statement));
  }

  transaction<T>(work: (trx: Transaction) => Promise<T>): Promise<T> {
    return this.#atOnce(this.model.db.transaction(this.#life, work));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.end();
  }

  /** Runs all steps of some work without advancing time. */
  async #atOnce<T>(work: Promise<T>): Promise<T> {
    const over = new AbortController();
    const end = (): void => over.abort();
    work.then(end, end);
    // The clock runs once at a time: a late run would set it back.
    while (!over.signal.aborted) {
      await this.#scheduler.run(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return work;
  }
}
