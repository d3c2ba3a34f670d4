import type { JobStatus } from "@slipway/api/jobs/job";
import type { TemplateVersion } from "@slipway/api/templates/template-version";

import type { Tone } from "../../ui/status.tsx";

interface ImportState {
  readonly tone: Tone;
  readonly label: string;
  /** True if workspaces can be made from the version. */
  readonly isUsable: boolean;
}

/** Returns how far the import of a version has come. */
export function importState({
  job,
}: {
  readonly job: Pick<TemplateVersion["job"], "status">;
}): ImportState {
  return { ...states[job.status], isUsable: job.status === "succeeded" };
}

const states: Readonly<Record<JobStatus, { tone: Tone; label: string }>> = {
  pending: { tone: "active", label: "Waiting" },
  running: { tone: "active", label: "Importing" },
  succeeded: { tone: "good", label: "Imported" },
  canceling: { tone: "warn", label: "Being canceled" },
  canceled: { tone: "neutral", label: "Canceled" },
  failed: { tone: "bad", label: "Failed" },
  unknown: { tone: "neutral", label: "Unknown" },
};
