import { randomUUID } from "node:crypto";

import { acquireJob } from "@slipway/server/claims";

import type { StageNeeds } from "./stage-needs.ts";
import { Work } from "./work.ts";

/** Acquires a job as a server's worker does and runs the steps before the driver's; undefined when the queue is empty. */
export async function acquire(
  needs: StageNeeds,
  workerId: string = randomUUID(),
  active: readonly string[] = [],
): Promise<Work | undefined> {
  const job = await acquireJob(needs.db, workerId, active);
  return job === undefined ? undefined : Work.begin(needs, workerId, job);
}
