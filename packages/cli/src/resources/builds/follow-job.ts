import type { JobLog, ProvisionerJob } from "@slipway/api/jobs/job";
import { type Clock, printableLine, retry } from "@slipway/runtime";
import { isRetryable } from "@slipway/sdk/http";

import type { Colors } from "../../terminal/colors.ts";
import type { Progress } from "../../terminal/progress.ts";
import { levelText, linesOf } from "./log-text.ts";

/** The polling interval for a job whose log has ended, in milliseconds. */
const firstPollMs = 100;
const maxPollMs = 1_000;

/** A job, the source of its log and its destination. */
interface FollowedJob<T extends { readonly job: ProvisionerJob }> {
  readonly log: AsyncIterable<JobLog>;
  readonly read: () => Promise<T>;
  readonly lines: JobLogLines;
  readonly progress: Progress;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Shows the log of a job while it runs; resolves with the job's subject once the job is final. */
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

/** Converts the log of a build or an import to lines: a headline when a stage begins, its output below. */
export class JobLogLines {
  readonly #colors: Colors;
  readonly #errors = new Set<string>();
  #stage = "";

  constructor(colors: Colors) {
    this.#colors = colors;
  }

  /** Returns the lines of one entry; an entry without output only begins a stage (docs/protocol/clients.md §2.6). */
  next(entry: JobLog): string[] {
    const lines: string[] = [];
    if (entry.stage !== this.#stage && entry.stage !== "") {
      lines.push(this.#colors.bold(`==> ${printableLine(entry.stage)}`));
    }
    this.#stage = entry.stage;
    if (entry.output === "") return lines;
    for (const text of linesOf(entry)) {
      this.#remember(entry, text);
      lines.push(levelText(`    ${text}`, entry.log_level, this.#colors));
    }
    return lines;
  }

  /** Returns whether the log has already shown this text, as errors. */
  hasShown(error: string): boolean {
    const lines = error.split("\n").map((line) => line.trim());
    return lines.every((line) => line === "" || this.#errors.has(line));
  }

  #remember(entry: JobLog, text: string): void {
    if (entry.log_level === "error") this.#errors.add(text.trim());
  }
}
