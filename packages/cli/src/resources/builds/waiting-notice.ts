import type { ProvisionerJob } from "@slipway/api/jobs/job";
import type { MatchedProvisioners } from "@slipway/api/jobs/provisioner";
import { printableLine } from "@slipway/runtime";

import { tagsText } from "./tags.ts";

interface Queued {
  readonly job: ProvisionerJob;
  readonly matched_provisioners?: MatchedProvisioners;
}

/** Returns the reason why a job waits and what to do, if no provisioner can take it; undefined otherwise. */
export function waitingNotice({ job, matched_provisioners: matched }: Queued): string | undefined {
  if (job.status !== "pending" || matched === undefined || matched.available > 0) return undefined;
  const tags = printableLine(tagsText(job.tags));
  if (tags === "") return undefined;
  return `waiting: no provisioner with the tags ${tags} is connected; start one with: slipway provisioner start`;
}
