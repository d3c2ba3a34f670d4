import { Table } from "../store/table.ts";

/** The columns that affect claims, as in PostgreSQL (docs/claims.md). Times are milliseconds since 1970. */
export interface TemplateRow {
  readonly id: string;
  readonly activeVersionId: string;
}

export interface PresetRow {
  readonly id: string;
  readonly versionId: string;
  readonly desiredInstances: number;
  /** The age at which prebuilds expire; 0 for never. */
  readonly invalidateAfterMs: number;
  readonly lastInvalidatedAtMs: number | undefined;
  readonly status: "healthy" | "hard_limited";
}

export interface WorkspaceRow {
  readonly id: string;
  readonly ownerId: string;
  readonly name: string;
  readonly templateId: string;
  readonly prebuildPresetId: string | undefined;
  readonly deleted: boolean;
  readonly createdAtMs: number;
}

export type Transition = "start" | "stop" | "delete";

/** A build and its job, which have the same lifetime. */
export interface BuildRow {
  readonly id: string;
  readonly workspaceId: string;
  readonly number: number;
  readonly transition: Transition;
  readonly versionId: string;
  readonly presetId: string | undefined;
  readonly initiatorId: string;
  /** The workspace's owner when the build was queued. */
  readonly ownerId: string;
  readonly createdAtMs: number;
  readonly workerId: string | undefined;
  readonly leaseUntilMs: number;
  readonly canceledAtMs: number | undefined;
  readonly completedAtMs: number | undefined;
  readonly error: string | undefined;
}

export interface AgentRow {
  readonly id: string;
  readonly buildId: string;
  readonly workspaceId: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly token: string;
  readonly deleted: boolean;
  readonly createdAtMs: number;
  readonly lifecycle: string;
  readonly startedAtMs: number | undefined;
  readonly readyAtMs: number | undefined;
  /** The start of the first session, before anything was answered in it. */
  readonly firstConnectedAtMs: number | undefined;
  /** The start of the newest session. */
  readonly connectedAtMs: number | undefined;
  readonly lastConnectedAtMs: number | undefined;
  readonly disconnectedAtMs: number | undefined;
  /** The newest session; an older one changes nothing any more. */
  readonly connectionId: string | undefined;
  readonly tookOver: boolean;
  readonly reinitSentAtMs: number | undefined;
  readonly reinitWasReceived: boolean;
  /** True if it reported that it decides by identity, like the product's own agent. */
  readonly decidesByIdentity: boolean;
  /** The lead of its machine's clock, according to its reports. */
  readonly clockAheadMs: number | undefined;
}

export interface Tables {
  readonly templates: Table<TemplateRow>;
  readonly presets: Table<PresetRow>;
  readonly workspaces: Table<WorkspaceRow>;
  readonly builds: Table<BuildRow>;
  readonly agents: Table<AgentRow>;
}

/** Creates empty tables with the constraints of the migrations. */
export function createTables(): Tables {
  return {
    templates: new Table("templates"),
    presets: new Table("presets"),
    workspaces: new Table("workspaces", ({ deleted, ownerId, name }) =>
      deleted ? [] : [`name ${ownerId}/${name}`],
    ),
    builds: new Table("builds", ({ workspaceId, number, completedAtMs }) => [
      `number ${workspaceId}/${number}`,
      ...(completedAtMs === undefined ? [`open ${workspaceId}`] : []),
    ]),
    agents: new Table("agents", ({ deleted, buildId, name, token }) =>
      deleted ? [] : [`name ${buildId}/${name}`, `token ${token}`],
    ),
  };
}
