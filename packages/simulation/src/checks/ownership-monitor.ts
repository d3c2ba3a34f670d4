import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";

import type { BuildRow, Tables, WorkspaceRow } from "../model/tables.ts";
import { committed, type JobStatus, jobStatus, View } from "../model/view.ts";
import type { Change } from "../store/table.ts";
import { type Monitor, Violation } from "../world/monitor.ts";

/** The job statuses of builds that change nothing. */
const undone: ReadonlySet<JobStatus> = new Set(["failed", "canceled"]);

/** Checks ownership at each commit: S1, S2, S9 and S12 of docs/protocol/prebuilds.md §7. */
export class OwnershipMonitor implements Monitor {
  readonly #tables: Tables;
  readonly #view: View;

  constructor(tables: Tables) {
    this.#tables = tables;
    this.#view = new View(tables, committed);
  }

  committed(): void {
    const { workspaces, builds, agents } = this.#tables;
    for (const change of workspaces.changes) this.#checkOwner(change);
    for (const { before, after } of builds.changes) {
      if (before === undefined) this.#checkInitiator(after);
    }
    for (const { before, after } of agents.changes) {
      if (before === undefined) this.#checkToken(after.id);
    }
  }

  #checkOwner({ before, after }: Change<WorkspaceRow>): void {
    const { id, ownerId } = after;
    if (before === undefined || before.ownerId === ownerId) return;
    if (before.ownerId !== prebuildsUserId) {
      throw new Violation("S1", `${id} went from ${before.ownerId} to ${ownerId}`, id);
    }
    const isBuilt = this.#tables.builds.changes.some(
      (build) =>
        build.before === undefined &&
        build.after.workspaceId === id &&
        build.after.transition === "start" &&
        build.after.ownerId === ownerId,
    );
    if (!isBuilt) throw new Violation("S2", `${id} went to ${ownerId} without a build`, id);
    const isDeleted = this.#view
      .builds(id)
      .some((build) => build.transition === "delete" && !undone.has(jobStatus(build)));
    if (isDeleted) throw new Violation("S9", `${id} went to ${ownerId} while it was deleted`, id);
  }

  /** Checks that the reconciler and the administrator build only waiting prebuilds, never a claimed workspace. */
  #checkInitiator({ id, workspaceId, transition, initiatorId }: BuildRow): void {
    if (initiatorId !== prebuildsUserId && initiatorId !== "admin") return;
    const ownerId = this.#view.workspace(workspaceId)?.ownerId;
    if (ownerId !== prebuildsUserId) {
      const text = `${id} of ${initiatorId}, a ${transition}, is of ${workspaceId} of ${ownerId}`;
      throw new Violation("S9", text, workspaceId);
    }
  }

  /** Checks that a token is new or belonged to the previous agent of the same name. */
  #checkToken(agentId: string): void {
    const agents = this.#tables.agents.all();
    const agent = this.#tables.agents.get(agentId);
    if (agent === undefined) return;
    const { token, name, workspaceId } = agent;
    const earlier = agents.filter((other) => other.token === token && other.id !== agentId);
    const isOurs = earlier.every(
      (other) =>
        other.workspaceId === workspaceId && other.name === name && other.parentId === undefined,
    );
    if (!isOurs || (agent.tookOver && earlier.length === 0)) {
      throw new Violation("S12", `${agentId} has another agent's token ${token}`, workspaceId);
    }
  }
}
