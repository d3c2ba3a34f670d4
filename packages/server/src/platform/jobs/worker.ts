import type { JobType } from "@slipway/api/jobs/job";
import { errorText, Scope } from "@slipway/runtime";
import type { Transaction } from "kysely";

import type { Database } from "../db/database.ts";
import { isOutage } from "../db/errors.ts";
import type { DB } from "../db/gen/schema.ts";
import { inTransaction } from "../db/transaction.ts";
import type { Platform } from "../platform.ts";
import { topics } from "../pubsub/pubsub.ts";
import { watch } from "../pubsub/watch.ts";
import { JobLogWriter } from "./job-log-writer.ts";
import { acquireJob, completeJob, leaseSeconds, renewLeases, selectIsCanceled } from "./queries.ts";

export type AcquiredJob = NonNullable<Awaited<ReturnType<typeof acquireJob>>>;

/** Writes to commit together with the end of the job; only SQL on the transaction. */
export interface JobOutcome {
  /** Undefined if the job succeeded. */
  readonly error: string | undefined;
  readonly commit: (trx: Transaction<DB>) => Promise<void>;
  /** The topics to hint at after the commit. */
  readonly topics: readonly string[];
}

/**
 * Carries out one job. It may run again after a crash at any point before its end was committed, so it must be
 * idempotent. A signal aborted with `JobCanceled` requests the outcome of a canceled job.
 */
export type JobHandler = (
  job: AcquiredJob,
  log: JobLogWriter,
  signal: AbortSignal,
) => Promise<JobOutcome>;

/**
 * Ends a job together with the writes of its outcome; resolves to false, with nothing written, if another worker has
 * the job by now.
 */
export function endJob(
  db: Database,
  { jobId, workerId }: { readonly jobId: string; readonly workerId: string },
  { error, commit }: JobOutcome,
): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const isOurs = await completeJob(trx, { jobId, workerId, error });
    if (isOurs) await commit(trx);
    return isOurs;
  });
}

interface WorkerOptions extends Platform {
  readonly workerId: string;
  readonly handlers: Readonly<Partial<Record<JobType, JobHandler>>>;
  /** Counts jobs that ended. */
  readonly endedJobs: { inc(labels: { readonly type: JobType; readonly outcome: string }): void };
}

const maxConcurrentJobs = 16;
const pollMs = 10_000;
/** The time before an unfinished job is retried. */
const retryMs = 1_000;
/** The delay during which the lines of a job's log gather into one statement. */
const gatherLogMs = 25;

/** Takes jobs and carries them out until it is closed; jobs that are unfinished then are taken again later. */
export class JobWorker implements AsyncDisposable {
  readonly #options: WorkerOptions;
  readonly #scope = new Scope();
  readonly #active = new Map<string, AbortController>();
  /** True if there may be a job that did not fit in or needs another attempt. */
  #mayHaveMore = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#scope.run((signal) => this.#takeJobs(signal));
    this.#scope.run((signal) => this.#renew(signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
  }

  async #takeJobs(signal: AbortSignal): Promise<void> {
    const { pubsub, clock, logger } = this.#options;
    const looks = watch({ pubsub, topics: [topics.jobQueue], maxWaitMs: pollMs, clock, signal });
    for await (const _ of looks) {
      try {
        while (await this.#takeOne());
      } catch (error) {
        logger.warn({ error: errorText(error) }, "cannot take jobs, retrying");
      }
    }
  }

  async #takeOne(): Promise<boolean> {
    if (this.#active.size >= maxConcurrentJobs) {
      this.#mayHaveMore = true;
      return false;
    }
    const { db, workerId } = this.#options;
    const job = await acquireJob(db, workerId, [...this.#active.keys()]);
    if (job === undefined) return false;
    const controller = new AbortController();
    this.#active.set(job.id, controller);
    this.#scope.run(async (signal) => {
      using _ = this.#watchForCancel(job, controller);
      try {
        const isDone = await this.#runJob(job, AbortSignal.any([signal, controller.signal]));
        this.#mayHaveMore ||= !isDone;
      } finally {
        this.#active.delete(job.id);
        if (this.#mayHaveMore) this.#options.pubsub.publish(topics.jobQueue);
        this.#mayHaveMore = false;
      }
    });
    return true;
  }

  /** Aborts the job at a hint that it was canceled; the renewal of the lease makes up for a lost hint. */
  #watchForCancel(job: AcquiredJob, controller: AbortController): Disposable {
    const { db, pubsub, logger } = this.#options;
    if (job.canceled_at !== null) controller.abort(new JobCanceled());
    return pubsub.subscribe(topics.jobCancel(job.id), () => {
      selectIsCanceled(db, job.id).then(
        (isCanceled) => isCanceled && controller.abort(new JobCanceled()),
        (error: unknown) =>
          logger.warn({ error: errorText(error) }, "cannot check whether a job was canceled"),
      );
    });
  }

  /** Carries a job out; resolves to false if it needs another attempt. */
  async #runJob(job: AcquiredJob, signal: AbortSignal): Promise<boolean> {
    const { clock, db, pubsub, workerId } = this.#options;
    const logger = this.#options.logger.child({ job: job.id, type: job.type });
    const log = new JobLogWriter(db, pubsub, job.id, (flushed) =>
      clock.sleep(gatherLogMs, AbortSignal.any([signal, flushed])),
    );
    try {
      const outcome = await this.#outcome(job, log, signal);
      await log.flush();
      const isEnded = await endJob(db, { jobId: job.id, workerId }, outcome);
      if (isEnded) this.#count(job, outcome, signal);
      if (!isEnded) logger.warn({}, "job was taken by another worker; its result is dropped");
      else if (outcome.error !== undefined) logger.info({ error: outcome.error }, "job failed");
      for (const topic of [topics.job(job.id), ...outcome.topics]) pubsub.publish(topic);
      return true;
    } catch (error) {
      // The server is stopping, or the database is unavailable: any worker may take the job again.
      if (!signal.aborted) logger.warn({ error: errorText(error) }, "job not finished, retrying");
      // Not immediately: the failure may persist for some time.
      await clock.sleep(retryMs, signal).catch(() => undefined);
      return false;
    }
  }

  #count({ type }: AcquiredJob, { error }: JobOutcome, signal: AbortSignal): void {
    const failed = signal.reason instanceof JobCanceled ? "canceled" : "failed";
    this.#options.endedJobs.inc({ type, outcome: error === undefined ? "succeeded" : failed });
  }

  async #outcome(job: AcquiredJob, log: JobLogWriter, signal: AbortSignal): Promise<JobOutcome> {
    const handler = this.#options.handlers[job.type];
    if (handler === undefined) {
      return {
        error: `jobs of type ${job.type} are not supported`,
        commit: async () => {},
        topics: [],
      };
    }
    try {
      return await handler(job, log, signal);
    } catch (error) {
      const wasCanceled = signal.reason instanceof JobCanceled;
      if (!wasCanceled) signal.throwIfAborted();
      if (isOutage(error)) throw error;
      if (wasCanceled) return { error: signal.reason.message, commit: async () => {}, topics: [] };
      const text = errorText(error);
      log.write("error", text);
      return { error: text, commit: async () => {}, topics: [] };
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { clock, db, workerId, logger } = this.#options;
    for (;;) {
      await clock.sleep((leaseSeconds * 1000) / 3, signal);
      if (this.#active.size === 0) continue;
      try {
        const asked = [...this.#active];
        const kept = await renewLeases(
          db,
          workerId,
          asked.map(([jobId]) => jobId),
        );
        for (const [jobId, controller] of asked) {
          const job = kept.get(jobId);
          if (job === undefined) controller.abort(new Error("job was taken by another worker"));
          else if (job.isCanceled) controller.abort(new JobCanceled());
        }
      } catch (error) {
        logger.warn({ error: errorText(error) }, "cannot renew job leases, retrying");
      }
    }
  }
}

/** The abort reason of a canceled job's signal. */
export class JobCanceled extends Error {
  override readonly name = "JobCanceled";
  readonly code = "job-canceled";

  constructor() {
    super("canceled");
  }
}
