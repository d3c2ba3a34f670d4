import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";

import type { Row, Table } from "../store/table.ts";
import type { AgentRow, BuildRow, Tables, WorkspaceRow } from "./tables.ts";

/** The reader: a transaction, or an observer of committed rows. */
export interface Reader {
  get<R extends Row>(table: Table<R>, id: string): R | undefined;
  all<R extends Row>(table: Table<R>): readonly R[];
}

/** A reader of committed rows. */
export const committed: Reader = {
  get: (table, id) => table.get(id),
  all: (table) => table.all(),
};

/** The silence after which agents no longer count as connected, in milliseconds. */
const silentMs = 30_000;

/** The results of the server's queries on the rows that a reader sees. */
export class View {
  readonly #tables: Tables;
  readonly #reader: Reader;

  constructor(tables: Tables, reader: Reader) {
    this.#tables = tables;
    this.#reader = reader;
  }

  workspace(id: string): WorkspaceRow | undefined {
    return this.#reader.get(this.#tables.workspaces, id);
  }

  /** Lists the builds, the newest first. */
  builds(workspaceId: string): readonly BuildRow[] {
    return this.#reader
      .all(this.#tables.builds)
      .filter((build) => build.workspaceId === workspaceId)
      .toSorted((a, b) => b.number - a.number);
  }

  newest(workspaceId: string): BuildRow | undefined {
    return this.builds(workspaceId)[0];
  }

  /** Returns the newest build that succeeded, before a number if one is given. */
  lastSucceeded(workspaceId: string, before = Number.POSITIVE_INFINITY): BuildRow | undefined {
    return this.builds(workspaceId).find(
      (build) => build.number < before && jobStatus(build) === "succeeded",
    );
  }

  /** Returns the newest start before a build whose agents have not ended. */
  lastStart({ workspaceId, number }: BuildRow): BuildRow | undefined {
    return this.builds(workspaceId).find(
      (build) =>
        build.number < number && build.transition === "start" && this.agents(build.id).length > 0,
    );
  }

  /** Returns the build that a build takes over: its agents continue under a new owner (docs/claims.md). */
  predecessor(build: BuildRow): BuildRow | undefined {
    if (build.transition !== "start") return undefined;
    const last = this.lastSucceeded(build.workspaceId, build.number);
    return last?.transition === "start" && last.ownerId !== build.ownerId ? last : undefined;
  }

  wasPrebuild(workspaceId: string): boolean {
    return this.builds(workspaceId).at(-1)?.ownerId === prebuildsUserId;
  }

  /** Returns all undeleted agents of a build, including sub-agents. */
  agents(buildId: string): readonly AgentRow[] {
    return this.#reader
      .all(this.#tables.agents)
      .filter((agent) => agent.buildId === buildId && !agent.deleted);
  }

  rootAgents(buildId: string): readonly AgentRow[] {
    return this.agents(buildId).filter(({ parentId }) => parentId === undefined);
  }

  agentOfToken(token: string): AgentRow | undefined {
    return this.#reader
      .all(this.#tables.agents)
      .find((agent) => agent.token === token && !agent.deleted);
  }

  /**
   * Returns the agent that a token admits to everything: its build is the newest, or runs while the newest stops it.
   */
  liveAgent(token: string): AgentRow | undefined {
    const agent = this.agentOfToken(token);
    if (agent === undefined || this.workspace(agent.workspaceId)?.deleted !== false)
      return undefined;
    const [newest, before] = this.builds(agent.workspaceId);
    const isStopping =
      newest?.transition === "stop" && newest.completedAtMs === undefined && isRunning(before);
    const live = isStopping ? before : newest;
    return live?.id === agent.buildId ? agent : undefined;
  }

  /** Reports whether a prebuild waits to be claimed from a pool. */
  isWaiting(workspaceId: string, presetId: string, nowMs: number): boolean {
    const { presets, templates } = this.#tables;
    const workspace = this.workspace(workspaceId);
    const preset = this.#reader.get(presets, presetId);
    if (workspace === undefined || preset === undefined || workspace.deleted) return false;
    const isInPool =
      workspace.ownerId === prebuildsUserId && workspace.prebuildPresetId === presetId;
    const template = this.#reader.get(templates, workspace.templateId);
    const newest = this.newest(workspaceId);
    if (!isInPool || newest === undefined || !isRunning(newest)) return false;
    const isActive = template?.activeVersionId === preset.versionId;
    if (!isActive || newest.versionId !== preset.versionId) return false;
    const { invalidateAfterMs, lastInvalidatedAtMs = Number.NEGATIVE_INFINITY } = preset;
    const isExpired = invalidateAfterMs > 0 && newest.createdAtMs < nowMs - invalidateAfterMs;
    const agents = this.rootAgents(newest.id);
    return (
      !isExpired &&
      newest.createdAtMs >= lastInvalidatedAtMs &&
      agents.length > 0 &&
      agents.every(({ lifecycle }) => lifecycle === "ready")
    );
  }

  /** Reports whether all root agents of a workspace have an open session. */
  isConnected(workspaceId: string, nowMs: number): boolean {
    const newest = this.newest(workspaceId);
    return (
      newest !== undefined &&
      this.rootAgents(newest.id).every((agent) => hasOpenSession(agent, nowMs))
    );
  }
}

/** Reports whether an agent has an open session, according to its last sign of life. */
export function hasOpenSession(
  {
    lastConnectedAtMs: last,
    disconnectedAtMs: lost,
  }: Pick<AgentRow, "lastConnectedAtMs" | "disconnectedAtMs">,
  nowMs: number,
): boolean {
  return last !== undefined && !(lost !== undefined && lost >= last) && last >= nowMs - silentMs;
}

export type JobStatus = "pending" | "running" | "succeeded" | "failed" | "canceled";

export function jobStatus(build: BuildRow): JobStatus {
  if (build.completedAtMs === undefined) {
    return build.workerId === undefined ? "pending" : "running";
  }
  if (build.canceledAtMs !== undefined) return "canceled";
  return build.error === undefined ? "succeeded" : "failed";
}

function isRunning(build: BuildRow | undefined): boolean {
  return build?.transition === "start" && jobStatus(build) === "succeeded";
}
