import type { AgentRow, BuildRow } from "../model/tables.ts";
import type { ModelState } from "./model-state.ts";
import type { Rows } from "./name-rows.ts";
import type { AgeMs } from "./snapshot.ts";

type AgeOf = (atMs: number | undefined) => AgeMs;

/** Reads the model's tables. */
export function readModelRows({ model, nowMs }: Pick<ModelState, "model" | "nowMs">): Rows {
  const { workspaces, builds, agents } = model.tables;
  const age: AgeOf = (atMs) => (atMs === undefined ? null : nowMs - atMs);
  const numbers = new Map(builds.all().map(({ id, number }) => [id, number]));
  const numberOf = ({ buildId }: AgentRow): number => numbers.get(buildId) ?? 0;
  return {
    workspaces: workspaces.all().map((row) => ({
      id: row.id,
      ownerId: row.ownerId,
      presetId: row.prebuildPresetId ?? null,
      isDeleted: row.deleted,
      ageMs: age(row.createdAtMs),
    })),
    builds: builds
      .all()
      .map((row) => buildRow(row, age))
      .toSorted((a, b) => a.number - b.number),
    agents: agents
      .all()
      .toSorted((a, b) => numberOf(a) - numberOf(b))
      .map((row) => agentRow(row, age)),
  };
}

function buildRow(row: BuildRow, age: AgeOf): Rows["builds"][number] {
  return {
    id: row.id,
    workspaceId: row.workspaceId,
    number: row.number,
    transition: row.transition,
    versionId: row.versionId,
    hasPreset: row.presetId !== undefined,
    ownerId: row.ownerId,
    initiatorId: row.initiatorId,
    workerId: row.workerId ?? null,
    ageMs: age(row.createdAtMs),
    canceledMs: age(row.canceledAtMs),
    completedMs: age(row.completedAtMs),
    hasFailed: row.error !== undefined,
  };
}

function agentRow(row: AgentRow, age: AgeOf): Rows["agents"][number] {
  return {
    id: row.id,
    buildId: row.buildId,
    parentId: row.parentId ?? null,
    name: row.name,
    tokenId: row.token,
    isDeleted: row.deleted,
    lifecycle: row.lifecycle,
    startedMs: age(row.startedAtMs),
    lastConnectedMs: age(row.lastConnectedAtMs),
    disconnectedMs: age(row.disconnectedAtMs),
    tookOver: row.tookOver,
    sentMs: age(row.reinitSentAtMs),
    wasReceived: row.reinitWasReceived,
  };
}
