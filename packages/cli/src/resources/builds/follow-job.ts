import type { JobLog, ProvisionerJob } from "@slipway/api/jobs/job";
import { retry, type Clock } from "@slipway/runtime";
import { isRetryable } from "@slipway/sdk/http";

import type { Progress } from "../../terminal/progress.ts";
import type { JobLogLines } from "./job-log-lines.ts";

/** The polling interval for a job whose log has ended, in milliseconds. */
const firstPollMs = 100;
const maxPollMs = 1_000;

/** A job, the source of its log and its destination. */
export interface FollowedJob<T extends { readonly job: ProvisionerJob }> {
  readonly log: AsyncIterable<JobLog>;
  readonly read: () => Promise<T>;
  readonly lines: JobLogLines;
  readonly progress: Progress;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Shows the log of a job while it runs; resolves with what the job belongs to once the job is final. */
export async function followJob<T extends { readonly job: ProvisionerJob }>(
  followed: FollowedJob<T>,
): Promise<T> {
  const { log, lines, progress, clock, signal } = followed;
  for await (const entry of log) {
    for (const line of lines.next(entry)) progress.line(line);
  }
  // The log may end a moment before the job's final state is stored.
  for (let delayMs = firstPollMs; ; delayMs = Math.min(delayMs * 2, maxPollMs)) {
    const subject = await retry(followed.read, { clock, signal, isRetryable });
    if (isFinal(subject.job)) return subject;
    await clock.sleep(delayMs, signal);
  }
}

/** Returns whether the job is in a final state. */
export function isFinal({ status }: ProvisionerJob): boolean {
  switch (status) {
    case "succeeded":
    case "failed":
    case "canceled":
      return true;
    case "pending":
    case "running":
    case "canceling":
    case "unknown":
      return false;
  }
}
