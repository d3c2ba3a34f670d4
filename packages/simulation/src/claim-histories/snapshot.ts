import type { Transition } from "@slipway/api/builds/resource";

/** The milliseconds since an event; null when there was none. */
export type AgeMs = number | null;

/** The state of a world, by the names of `step.ts`. Equal in the model and in PostgreSQL. */
export interface Snapshot {
  readonly workspaces: Readonly<Record<string, WorkspaceState>>;
  readonly builds: Readonly<Record<string, BuildState>>;
  readonly agents: Readonly<Record<string, AgentState>>;
  /** The results of the product's queries. */
  readonly views: Views;
}

export interface WorkspaceState {
  readonly owner: string;
  /** The version in whose pool it waits. */
  readonly pool: string | null;
  readonly isDeleted: boolean;
  readonly ageMs: AgeMs;
}

export interface BuildState {
  readonly transition: Transition;
  readonly version: string;
  readonly hasPreset: boolean;
  readonly owner: string;
  readonly initiator: string;
  readonly worker: string | null;
  readonly ageMs: AgeMs;
  readonly canceledMs: AgeMs;
  readonly completedMs: AgeMs;
  readonly hasFailed: boolean;
}

export interface AgentState {
  readonly parent: string | null;
  readonly token: string;
  readonly isDeleted: boolean;
  readonly lifecycle: string;
  readonly startedMs: AgeMs;
  readonly lastConnectedMs: AgeMs;
  readonly disconnectedMs: AgeMs;
  readonly tookOver: boolean;
  readonly sentMs: AgeMs;
  readonly wasReceived: boolean;
}

/** The results of the product's queries. They take turns, because each costs at least one statement. */
export interface Views {
  /** The state of each token for `/reinit`. */
  readonly reinit: Readonly<Record<string, object>>;
  /** The agent that each token admits. */
  readonly live?: Readonly<Record<string, string | null>>;
  /** The workspaces that claims get, in order, by version. */
  readonly claimable?: Readonly<Record<string, readonly string[]>>;
  /** The prebuilds that a claim gets after it has locked them. */
  readonly changeable?: readonly string[];
  /** The reconciler's snapshot and plan, by version. */
  readonly pools?: Readonly<Record<string, object>>;
  readonly poolsLookedAt?: readonly string[];
  /** The build whose processes the newest build takes over, by newest build. */
  readonly predecessors?: Readonly<Record<string, string | null>>;
}

/** The functions that read a world's views. */
export type ViewReaders = {
  readonly [V in keyof Views]-?: () => Promise<NonNullable<Views[V]>>;
};

/** The views to read after each step, in turn; the answers to agents are read after each. */
const turns: readonly (readonly (keyof Views)[])[] = [
  ["claimable"],
  ["pools", "poolsLookedAt"],
  ["live"],
  ["claimable", "changeable"],
  ["predecessors", "pools"],
];

/** Reads the views of this turn. */
export async function readViews(readers: ViewReaders, turn: number): Promise<Views> {
  const found: Partial<Record<keyof Views, unknown>> = {};
  for (const view of turns[turn % turns.length] ?? []) found[view] = await readers[view]();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each by its own reader
  return { ...(found as Omit<Views, "reinit">), reinit: await readers.reinit() };
}
