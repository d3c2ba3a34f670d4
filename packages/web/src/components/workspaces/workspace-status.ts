import type { BuildStatus } from "@slipway/api/builds/build";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import type { Tone } from "../../ui/status.tsx";
import { isConnecting } from "./agents.ts";

/** A state in a word, and the color of its dot. */
export interface StatusText {
  readonly text: string;
  readonly tone: Tone;
}

const buildTones: Readonly<Record<BuildStatus, Tone>> = {
  pending: "active",
  starting: "active",
  running: "good",
  stopping: "active",
  stopped: "neutral",
  deleting: "active",
  deleted: "neutral",
  canceling: "active",
  canceled: "warn",
  failed: "bad",
};

/** Returns the state of a workspace: that of its newest build, or that its agents or its owner are missing. */
export function workspaceStatus({
  latest_build: build,
  health,
  dormant_at: dormantAt,
}: Pick<Workspace, "health" | "dormant_at"> & {
  readonly latest_build: Pick<Workspace["latest_build"], "status" | "resources">;
}): StatusText {
  const { status } = build;
  if (status === "running" && !health.healthy) {
    return isConnecting({ latest_build: build, health })
      ? { text: "Running, connecting", tone: "active" }
      : { text: "Running, unhealthy", tone: "warn" };
  }
  if (status === "stopped" && dormantAt !== null) return { text: "Dormant", tone: "neutral" };
  return buildStatusText(status);
}

/** Returns the state of a build. */
export function buildStatusText(status: BuildStatus): StatusText {
  return { text: capitalized(status), tone: buildTones[status] };
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
