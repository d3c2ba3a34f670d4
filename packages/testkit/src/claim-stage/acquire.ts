import { randomUUID } from "node:crypto";

import { acquireJob } from "@slipway/server/claims";

import type { StageNeeds } from "./stage-needs.ts";
import { Work } from "./work.ts";

/** Takes a job like a server's worker, and does the work before the driver's; undefined when none waits. */
export async function acquire(
  needs: StageNeeds,
  workerId: string = randomUUID(),
  active: readonly string[] = [],
): Promise<Work | undefined> {
  const job = await acquireJob(needs.db, workerId, active);
  return job === undefined ? undefined : Work.begin(needs, workerId, job);
}
