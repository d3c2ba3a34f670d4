import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";

import type { Tables } from "../model/tables.ts";
import { committed, View } from "../model/view.ts";
import { type Monitor, type ReinitReply, Violation } from "../world/monitor.ts";

/** Checks the answers to agents on `/reinit`: S6, S7 and S8 of docs/protocol/prebuilds.md §7. */
export class AnswerMonitor implements Monitor {
  readonly #view: View;

  constructor(tables: Tables) {
    this.#view = new View(tables, committed);
  }

  answered(reply: ReinitReply): void {
    if (reply.kind === "frame") this.#checkFrame(reply);
    if (reply.kind === "refused") this.#checkRefusal(reply.token);
  }

  #checkFrame({ token, workspaceId, ownerId }: Extract<ReinitReply, { kind: "frame" }>): void {
    const agent = this.#view.agentOfToken(token);
    const workspace = this.#view.workspace(workspaceId);
    if (agent === undefined || workspace === undefined) return;
    if (agent.workspaceId !== workspaceId) {
      throw new Violation("S7", `${token} is notified of ${workspaceId}`, agent.workspaceId);
    }
    if (!this.#view.wasPrebuild(workspaceId)) {
      throw new Violation("S6", `${token} is notified but never was a prebuild's`, workspaceId);
    }
    const hasBuild = this.#view
      .builds(workspaceId)
      .some((build) => build.ownerId === ownerId && build.completedAtMs !== undefined);
    if (ownerId !== workspace.ownerId || ownerId === prebuildsUserId || !hasBuild) {
      throw new Violation(
        "S7",
        `${token} is notified of ${ownerId}, who does not have it`,
        workspaceId,
      );
    }
  }

  #checkRefusal(token: string): void {
    const agent = this.#view.agentOfToken(token);
    const workspace = agent && this.#view.workspace(agent.workspaceId);
    if (agent === undefined || workspace === undefined || workspace.deleted) return;
    const { id, ownerId } = workspace;
    const isOwed = agent.tookOver && agent.startedAtMs === undefined;
    const done = this.#view.lastSucceeded(id);
    const isClaiming = done?.transition === "start" && done.ownerId !== ownerId;
    if (!isOwed && !isClaiming && ownerId !== prebuildsUserId) return;
    const state = isOwed ? "is owed a reinit" : "may come to be owed one";
    throw new Violation("S8", `${token} is refused forever, but ${state}`, id);
  }
}
