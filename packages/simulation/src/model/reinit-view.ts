import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import type { ReinitView } from "@slipway/server/claims";

import type { AgentRow, BuildRow } from "./tables.ts";
import { hasOpenSession, type View } from "./view.ts";

/** Returns the state of a token's agent, in one snapshot, like the server's query (docs/claims.md). */
export function reinitView(view: View, token: string, nowMs: number): ReinitView {
  const agent = view.agentOfToken(token);
  const workspace = agent === undefined ? undefined : view.workspace(agent.workspaceId);
  if (agent === undefined || workspace === undefined || workspace.deleted) return { type: "gone" };
  const done = view.lastSucceeded(workspace.id);
  const counts = [view.newest(workspace.id)?.id, done?.id].includes(agent.buildId);
  if (!counts) return { type: "gone" };
  return {
    type: "live",
    agentId: agent.id,
    workspaceId: workspace.id,
    ownerId: workspace.ownerId,
    standing: standingOf(view, workspace, done),
    isOwed: agent.tookOver && agent.startedAtMs === undefined,
    createdAtMs: agent.createdAtMs,
    ...connectionOf(agent, nowMs),
    sentAtMs: agent.reinitSentAtMs,
    wasReceived: agent.reinitWasReceived,
    nowMs,
  };
}

function connectionOf(
  agent: AgentRow,
  nowMs: number,
): Pick<Extract<ReinitView, { type: "live" }>, "connectedSinceMs" | "disconnectedAtMs"> {
  const { connectedAtMs, lastConnectedAtMs: last, disconnectedAtMs: lost } = agent;
  if (hasOpenSession(agent, nowMs)) {
    return { connectedSinceMs: connectedAtMs, disconnectedAtMs: undefined };
  }
  const disconnectedAtMs = lost !== undefined && last !== undefined ? Math.max(lost, last) : last;
  return { connectedSinceMs: undefined, disconnectedAtMs };
}

function standingOf(
  view: View,
  { id, ownerId }: { readonly id: string; readonly ownerId: string },
  done: BuildRow | undefined,
): Extract<ReinitView, { type: "live" }>["standing"] {
  if (ownerId === prebuildsUserId) return "prebuild";
  if (!view.wasPrebuild(id)) return "never-a-prebuild";
  return done?.transition === "start" && done.ownerId !== ownerId ? "claiming" : "claimed";
}
