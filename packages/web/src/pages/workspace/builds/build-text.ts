import type { BuildReason, WorkspaceBuild } from "@slipway/api/builds/build";
import type { JobStatus } from "@slipway/api/jobs/job";

import type { StatusText } from "../../../components/workspaces/workspace-status.ts";

const transitionNames = { start: "Start", stop: "Stop", delete: "Delete" } as const;

/** Returns the name of a build: `#3 Start`. */
export function buildTitle({
  build_number: number,
  transition,
}: Pick<WorkspaceBuild, "build_number" | "transition">): string {
  return `#${String(number)} ${transitionNames[transition]}`;
}

const reasonTexts: Readonly<Record<BuildReason, string>> = {
  initiator: "through the API",
  autostart: "by its schedule",
  autostop: "at its deadline",
  dormancy: "because it was dormant",
  dashboard: "in the dashboard",
  cli: "with the command",
  ssh_connection: "by connecting with SSH",
  vscode_connection: "by connecting with VS Code",
  jetbrains_connection: "by connecting with JetBrains",
  task_auto_pause: "because its task paused",
  task_manual_pause: "by pausing its task",
  task_resume: "by resuming its task",
};

/** Returns why a build began, to stand after who began it. */
export function reasonText(reason: BuildReason): string {
  return reasonTexts[reason];
}

const outcomes: Readonly<Record<JobStatus, StatusText>> = {
  pending: { text: "Waiting", tone: "active" },
  running: { text: "Running", tone: "active" },
  canceling: { text: "Canceling", tone: "active" },
  unknown: { text: "Unknown", tone: "neutral" },
  succeeded: { text: "Succeeded", tone: "good" },
  canceled: { text: "Canceled", tone: "warn" },
  failed: { text: "Failed", tone: "bad" },
};

/** Returns how far a build is; the status of a build is that of the workspace which it made. */
export function buildOutcome({ job }: Pick<WorkspaceBuild, "job">): StatusText {
  return outcomes[job.status];
}
