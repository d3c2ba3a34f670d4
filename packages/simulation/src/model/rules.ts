import { type Decide, decide } from "@slipway/agent/session";
import type { Clock } from "@slipway/runtime";
import {
  type ClaimTransaction,
  decideReinit,
  type PubSub,
  reconcile,
  type ReinitView,
} from "@slipway/server/claims";

import type { Transaction } from "../store/transaction.ts";
import { isOfThisLife } from "./is-of-this-life.ts";
import { markReinitSent } from "./mark-reinit-sent.ts";
import { memoryClaim } from "./memory-claim.ts";
import { reinitView } from "./reinit-view.ts";
import type { BuildRow, Tables } from "./tables.ts";
import type { View } from "./view.ts";

/** An answer to `/reinit` in progress, for bugs that consider more than the state. */
export interface StreamPast {
  /** The view when its token was checked, before any subscription. */
  readonly first: ReinitView | undefined;
  /** True if a hint has arrived since. */
  readonly isHinted: boolean;
}

/** The rules of a world, any of which a planted bug may replace. */
export interface Rules {
  readonly claim: (
    tables: Tables,
    trx: Transaction,
    options: { readonly waits: boolean },
  ) => ClaimTransaction;
  /** The build whose processes a start takes over for another owner. */
  readonly predecessor: (view: View, build: BuildRow) => BuildRow | undefined;
  /** The tokens that agents of the new build inherit from their predecessors, by name. */
  readonly carriedTokens: (view: View, predecessor: BuildRow) => ReadonlyMap<string, string>;
  readonly look: (view: View, token: string, nowMs: number, past: StreamPast) => ReinitView;
  readonly decideReinit: typeof decideReinit;
  readonly markReinitSent: (tables: Tables, trx: Transaction, agentId: string) => boolean;
  /** Reports whether an owed agent's report that it is starting concerns its life as this row. */
  readonly isOfThisLife: typeof isOfThisLife;
  /** The hints that a stream receives, and the clock it waits by. */
  readonly streamHints: (
    hints: Pick<PubSub, "subscribe">,
    clock: Clock,
  ) => Pick<PubSub, "subscribe">;
  readonly streamClock: (clock: Clock) => Clock;
  /** True if a replica checks everything again when its listening connection is restored. */
  readonly hearsAllAfterLoss: boolean;
  /** Reports whether a frame contains the owner's id. */
  readonly namesOwner: (random: () => number) => boolean;
  readonly endsAfterFrame: boolean;
  readonly reconcile: typeof reconcile;
  readonly agent: AgentRules;
}

export interface AgentRules {
  /** The basis of its decisions; `frames`: an agent that knows only the frames it receives, like Coder's. */
  readonly kind: "identity" | "frames";
  readonly decide: Decide;
  /** The time without a ping after which a stream is abandoned, in milliseconds. */
  readonly readDeadlineMs: number;
}

/** The product's own rules. */
export const ownRules: Rules = {
  claim: (tables, trx, options) => memoryClaim(trx, tables, options),
  predecessor: (view, build) => view.predecessor(build),
  carriedTokens: (view, predecessor) =>
    new Map(view.rootAgents(predecessor.id).map(({ name, token }) => [name, token])),
  look: reinitView,
  decideReinit,
  markReinitSent,
  isOfThisLife,
  streamHints: (hints) => hints,
  streamClock: (clock) => clock,
  hearsAllAfterLoss: true,
  namesOwner: () => true,
  endsAfterFrame: true,
  reconcile,
  agent: { kind: "identity", decide, readDeadlineMs: 45_000 },
};
