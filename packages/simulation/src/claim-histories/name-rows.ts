import type { Transition } from "@slipway/api/builds/resource";
import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";

import type { Names } from "./names.ts";
import type { AgentState, BuildState, Snapshot, WorkspaceState } from "./snapshot.ts";

/** The rows of a world with its own ids; their facts from `snapshot.ts` are already in common terms. */
export interface Rows {
  /** The workspaces, oldest first; those with equal times in the order of their names. */
  readonly workspaces: readonly WorkspaceRow[];
  /** The builds, sorted by workspace and number. */
  readonly builds: readonly BuildRow[];
  /** The agents, sorted by the number of their builds; parents before their children. */
  readonly agents: readonly AgentRow[];
}

export interface WorkspaceRow extends Pick<WorkspaceState, "isDeleted" | "ageMs"> {
  readonly id: string;
  readonly ownerId: string;
  readonly presetId: string | null;
}

export interface BuildRow extends Omit<BuildState, "version" | "owner" | "initiator" | "worker"> {
  readonly id: string;
  readonly workspaceId: string;
  readonly number: number;
  readonly transition: Transition;
  readonly versionId: string;
  readonly ownerId: string;
  readonly initiatorId: string;
  readonly workerId: string | null;
}

export interface AgentRow extends Omit<AgentState, "parent" | "token"> {
  readonly id: string;
  readonly buildId: string;
  readonly parentId: string | null;
  readonly name: string;
  /** A stand-in for the token: equal tokens have equal stand-ins. */
  readonly tokenId: string;
}

/** Names new rows, and returns all rows by their names. */
export function nameRows(names: Names, rows: Rows): Omit<Snapshot, "views"> {
  for (const { id } of rows.workspaces) {
    if (!names.has(id)) names.add(id, `w${names.next("w")}`);
  }
  for (const { id, workspaceId, number } of rows.builds) {
    if (!names.has(id)) names.add(id, `${names.name(workspaceId)}/${number}`);
  }
  for (const { id, buildId, name, tokenId } of rows.agents) {
    const full = `${names.name(buildId)}/${name}`;
    if (!names.has(id)) names.add(id, full);
    if (!names.has(tokenId)) names.add(tokenId, `token of ${full}`);
  }
  return {
    workspaces: byName(names, rows.workspaces, (row) => workspaceState(names, row)),
    builds: byName(names, rows.builds, (row) => buildState(names, row)),
    agents: byName(names, rows.agents, (row) => agentState(names, row)),
  };
}

/** Returns the name of a user, or of the system user. */
function userName(names: Names, id: string): string {
  return id === prebuildsUserId ? "prebuilds" : names.name(id);
}

function byName<R extends { readonly id: string }, S>(
  names: Names,
  rows: readonly R[],
  state: (row: R) => S,
): Readonly<Record<string, S>> {
  return Object.fromEntries(rows.map((row) => [names.name(row.id), state(row)]));
}

function workspaceState(
  names: Names,
  { ownerId, presetId, isDeleted, ageMs }: WorkspaceRow,
): WorkspaceState {
  const pool = presetId === null ? null : names.name(presetId);
  return { owner: userName(names, ownerId), pool, isDeleted, ageMs };
}

function buildState(names: Names, row: BuildRow): BuildState {
  const {
    id: _,
    workspaceId: _w,
    number: _n,
    versionId,
    ownerId,
    initiatorId,
    workerId,
    ...state
  } = row;
  return {
    ...state,
    version: names.name(versionId),
    owner: userName(names, ownerId),
    initiator: userName(names, initiatorId),
    worker: workerId === null ? null : names.name(workerId),
  };
}

function agentState(names: Names, row: AgentRow): AgentState {
  const { id: _, buildId: _b, name: _n, parentId, tokenId, ...state } = row;
  return {
    ...state,
    parent: parentId === null ? null : names.name(parentId),
    token: names.name(tokenId),
  };
}
