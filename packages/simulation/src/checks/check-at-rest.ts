import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";

import type { AgentRow, PresetRow, WorkspaceRow } from "../model/tables.ts";
import { committed, jobStatus, View } from "../model/view.ts";
import type { Compute } from "../world/compute.ts";
import { Violation } from "../world/monitor.ts";
import type { Setting } from "../world/setting.ts";
import { userName } from "../world/user-name.ts";
import type { World } from "../world/world.ts";

/**
 * The time that expired or deleted rows may remain, and that new builds may be unready, in milliseconds: prebuilds
 * expire and are replaced for as long as a world lasts.
 */
const graceMs = 90_000;

/** Checks the conditions of a world that has been calm for a while: L1 to L8 of docs/protocol/prebuilds.md §7. */
export function checkAtRest(world: World): void {
  const { setting } = world;
  const { tables } = setting.model;
  const view = new View(tables, committed);
  for (const workspace of tables.workspaces.all()) {
    if (!workspace.deleted) checkAgents(world, view, workspace);
  }
  for (const preset of tables.presets.all()) checkPool(setting, view, preset);
  checkStreams(setting, view);
}

/** Checks L1 to L4: owners of running workspaces have their agents. */
function checkAgents({ compute, setting }: World, view: View, workspace: WorkspaceRow): void {
  const newest = view.newest(workspace.id);
  if (newest?.transition !== "start" || jobStatus(newest) !== "succeeded") return;
  if (setting.scheduler.nowMs - (newest.completedAtMs ?? 0) < graceMs) return;
  const hasFailedBefore = view.builds(workspace.id).some(({ ownerId, error, canceledAtMs }) => {
    const isOver = error !== undefined || canceledAtMs !== undefined;
    return ownerId === workspace.ownerId && ownerId !== prebuildsUserId && isOver;
  });
  const invariant = hasFailedBefore ? "L4" : "L1";
  // Stock agents deliver a lost report with their next one, which may never come (docs/protocol/agent.md §2.6).
  const canTell = setting.rules.agent.kind === "identity";
  for (const agent of view.rootAgents(newest.id)) {
    const problem = agentProblem(compute, agent, userName(workspace.ownerId), canTell);
    if (problem !== undefined) {
      const text = `${agent.id} of ${workspace.id}, which ${workspace.ownerId} has, ${problem}`;
      throw new Violation(invariant, text, workspace.id);
    }
  }
}

function agentProblem(
  compute: Compute,
  agent: AgentRow,
  ownerName: string,
  canTell: boolean,
): string | undefined {
  if (canTell && agent.tookOver && agent.startedAtMs === undefined) return "is still owed a reinit";
  const process = compute.processes.find(({ token }) => token === agent.token);
  if (process === undefined) return "has no process";
  // A stock agent that was notified waits forever for its stop scripts (docs/protocol/prebuilds.md §4, row 27).
  if (process.ranFor.at(-1) === ownerName || process.isStuck) return undefined;
  return `is a process that ran start scripts for ${process.ranFor.at(-1) ?? "no one"} last`;
}

/** Checks L6: the pool has as many waiting prebuilds as it should, and no useless ones. */
function checkPool({ model, scheduler }: Setting, view: View, preset: PresetRow): void {
  const { templates, workspaces } = model.tables;
  const isActive = templates.all().some(({ activeVersionId: id }) => id === preset.versionId);
  const isExpired = (ageMs: number): boolean =>
    preset.invalidateAfterMs > 0 && ageMs > preset.invalidateAfterMs + graceMs;
  let waiting = 0;
  for (const { id, ownerId, deleted, prebuildPresetId } of workspaces.all()) {
    const newest = view.newest(id);
    const isInPool = prebuildPresetId === preset.id && ownerId === prebuildsUserId && !deleted;
    if (!isInPool || newest === undefined) continue;
    if (!isActive) throw new Violation("L6", `${id} waits for a version that is not active`, id);
    if (newest.transition !== "start" || newest.error !== undefined) continue;
    if (isExpired(scheduler.nowMs - newest.createdAtMs)) {
      throw new Violation("L6", `${id} has expired but still exists`, id);
    }
    waiting += 1;
  }
  const wanted = isActive ? preset.desiredInstances : 0;
  // Between an expiry and the next reconciliation an expired prebuild and its replacement may both wait.
  const most = preset.invalidateAfterMs > 0 ? Number.POSITIVE_INFINITY : wanted;
  if (waiting < wanted || waiting > most) {
    throw new Violation("L6", `${waiting} wait in the pool of ${preset.id}, wanted ${wanted}`);
  }
}

/** Checks L7 and L8: no stream is open whose answer cannot change any more. */
function checkStreams({ streams, scheduler }: Setting, view: View): void {
  for (const { token, workspaceId, life } of streams) {
    if (!life.isAlive) continue;
    if (!view.wasPrebuild(workspaceId)) {
      throw new Violation("L7", `${token} still asks but never was a prebuild's`, workspaceId);
    }
    const newest = view.newest(workspaceId);
    const goneMs = scheduler.nowMs - (newest?.completedAtMs ?? scheduler.nowMs);
    if (view.workspace(workspaceId)?.deleted === true && goneMs > graceMs) {
      throw new Violation("L8", `${token} still asks but its workspace is gone`, workspaceId);
    }
  }
}
