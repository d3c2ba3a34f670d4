import type { SessionStart } from "../model/agents.ts";
import type { Model } from "../model/model.ts";
import type { BuildRow } from "../model/tables.ts";
import type { Transaction } from "../store/transaction.ts";
import type { Names } from "./names.ts";

/** The state of a world in memory, which runs statements in no simulated time. */
export interface ModelState {
  readonly model: Model;
  readonly names: Names;
  readonly nowMs: number;
  /** The jobs of workers and the sessions of agents, by the names that steps gave them. */
  readonly works: Map<string, { readonly build: BuildRow; readonly workerId: string }>;
  readonly sessions: Map<string, SessionStart>;
  query<T>(statement: (trx: Transaction) => T): Promise<T>;
  transaction<T>(work: (trx: Transaction) => Promise<T>): Promise<T>;
}
