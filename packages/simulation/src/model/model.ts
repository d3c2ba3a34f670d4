import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";

import type { Database } from "../store/database.ts";
import type { Transaction } from "../store/transaction.ts";
import { Ids } from "./ids.ts";
import type { Rules } from "./rules.ts";
import type { BuildRow, Tables } from "./tables.ts";
import { committed, View } from "./view.ts";

export interface ModelOptions {
  readonly db: Database;
  readonly tables: Tables;
  readonly rules: Rules;
  /** The names of the template's root agents. */
  readonly agentNames: readonly string[];
  /** True if the driver has nothing to do at a claim, so that the claim's build completes with its transaction. */
  readonly claimsAtOnce: boolean;
  /** True if agent processes survive a stop, so that the next start keeps their tokens. */
  readonly keepsProcesses: boolean;
}

/** The server's tables and the foundation of its statements, as far as claims need them. */
export class Model {
  readonly db: Database;
  readonly tables: Tables;
  readonly rules: Rules;
  readonly agentNames: readonly string[];
  readonly claimsAtOnce: boolean;
  readonly keepsProcesses: boolean;
  readonly ids = new Ids();

  constructor({ db, tables, rules, agentNames, claimsAtOnce, keepsProcesses }: ModelOptions) {
    this.db = db;
    this.tables = tables;
    this.rules = rules;
    this.agentNames = agentNames;
    this.claimsAtOnce = claimsAtOnce;
    this.keepsProcesses = keepsProcesses;
  }

  /** A view of the committed rows. */
  get committed(): View {
    return new View(this.tables, committed);
  }

  view(trx: Transaction): View {
    return new View(this.tables, trx);
  }
}

export function isOfSystem({ initiatorId }: BuildRow): boolean {
  return initiatorId === prebuildsUserId;
}
