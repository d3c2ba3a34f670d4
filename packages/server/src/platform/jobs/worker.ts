import type { JobType } from "@slipway/api/jobs/job";
import { errorText, Scope, Waiters, Wake } from "@slipway/runtime";

import { isOutage } from "../db/errors.ts";
import type { HeartbeatConnection } from "../db/heartbeat-connection.ts";
import type { Platform } from "../platform.ts";
import { topics } from "../pubsub/pubsub.ts";
import { watch } from "../pubsub/watch.ts";
import { type AcquiredJob, acquireJob } from "./acquire-query.ts";
import { JobLease, JobLost, usualLease } from "./job-lease.ts";
import { JobLogWriter } from "./job-log-writer.ts";
import { endStorably, failedOutcome, type JobOutcome } from "./job-outcome.ts";
import { renewLeases, selectIsCanceled } from "./queries.ts";
import { type Moment, momentOf } from "./renewal-time.ts";

/**
 * Carries out one job. It may run again after a crash at any point before its end was committed, so it must be
 * idempotent. A signal aborted with `JobCanceled` requests the outcome of a canceled job.
 */
export type JobHandler = (
  job: AcquiredJob,
  log: JobLogWriter,
  signal: AbortSignal,
  lease: JobLease,
) => Promise<JobOutcome>;

export type JobHandlers = Readonly<Partial<Record<JobType, JobHandler>>>;

interface WorkerOptions extends Platform {
  readonly heartbeats: Pick<HeartbeatConnection, "run">;
  readonly workerId: string;
  readonly handlers: JobHandlers;
  /** Takes a job that is not one of `active` (default: one that any server may take). */
  readonly acquire?: (active: readonly string[]) => Promise<AcquiredJob | undefined>;
  /** The maximum number of jobs at the same time (default: 16). */
  readonly maxJobs?: number;
  readonly endedJobs: JobCount;
}

/** Counts jobs that ended. */
export interface JobCount {
  inc(labels: { readonly type: JobType; readonly outcome: string }): void;
}

/** The default maximum number of jobs at the same time. */
const usualMaxJobs = 16;
const pollMs = 10_000;
const renewEveryMs = usualLease.lastsMs / 3;
/** The time between looks for leases that were not renewed, and before the leases of locked jobs are renewed again. */
const lapseCheckMs = 1_000;
/** The time before an unfinished job is retried. */
const retryMs = 1_000;
/** The delay during which the lines of a job's log gather into one statement. */
const gatherLogMs = 25;

/** Takes jobs and carries them out until it is closed; jobs that are unfinished then are taken again later. */
export class JobWorker implements AsyncDisposable {
  readonly #options: WorkerOptions;
  readonly #scope = new Scope();
  readonly #active = new Map<string, ActiveJob>();
  /** Woken to renew the leases at once. */
  readonly #renewal = new Wake();
  /** True if there may be a job that did not fit in or needs another attempt. */
  #mayHaveMore = false;
  #isDraining = false;
  #isTaking = false;
  readonly #ended = new Waiters();

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#scope.run((signal) => this.#takeJobs(signal));
    this.#scope.run((signal) => this.#renew(signal));
    this.#scope.run((signal) => this.#endLapsed(signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
  }

  /** Takes no more jobs, and resolves once those in hand have ended. Rejects with the signal's reason. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    while (this.#active.size > 0 || this.#isTaking) {
      signal.throwIfAborted();
      await this.#ended.next(signal);
    }
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
    const { db, clock, workerId, maxJobs = usualMaxJobs, acquire } = this.#options;
    if (this.#isDraining) return false;
    if (this.#active.size >= maxJobs) {
      this.#mayHaveMore = true;
      return false;
    }
    const moment = momentOf(clock);
    const active = [...this.#active.keys()];
    this.#isTaking = true;
    try {
      const job = await (acquire?.(active) ?? acquireJob(db, workerId, active));
      if (job !== undefined) this.#begin(job, moment);
      return job !== undefined;
    } finally {
      this.#isTaking = false;
      this.#ended.wakeAll();
    }
  }

  /** Begins a job that was acquired by a statement after that moment. */
  #begin(job: AcquiredJob, moment: Moment): void {
    const { db, clock, workerId } = this.#options;
    const controller = new AbortController();
    const holder = { jobId: job.id, workerId, attempt: job.attempt };
    const lease = new JobLease({ db, clock }, holder, moment);
    this.#active.set(job.id, { lease, controller });
    this.#scope.run(async (signal) => {
      using _ = this.#watchForCancel(job, controller);
      try {
        const isDone = await this.#runJob(job, lease, AbortSignal.any([signal, controller.signal]));
        this.#mayHaveMore ||= !isDone;
      } finally {
        this.#active.delete(job.id);
        this.#ended.wakeAll();
        if (this.#mayHaveMore) this.#options.pubsub.publish(topics.jobQueue);
        this.#mayHaveMore = false;
      }
    });
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
  async #runJob(job: AcquiredJob, lease: JobLease, signal: AbortSignal): Promise<boolean> {
    const { clock, db, pubsub } = this.#options;
    const logger = this.#options.logger.child({ job: job.id, type: job.type });
    const log = new JobLogWriter(db, pubsub, job.id, (flushed) =>
      clock.sleep(gatherLogMs, AbortSignal.any([signal, flushed])),
    );
    try {
      const wanted = await this.#outcome(job, log, signal, lease);
      await log.flush();
      const { isEnded, outcome } = await endStorably(db, lease.holder, wanted);
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

  async #outcome(...[job, log, signal, lease]: Parameters<JobHandler>): Promise<JobOutcome> {
    const handler = this.#options.handlers[job.type];
    if (handler === undefined) {
      return failedOutcome(`jobs of type ${job.type} are not supported`);
    }
    try {
      return await handler(job, log, signal, lease);
    } catch (error) {
      const wasCanceled = signal.reason instanceof JobCanceled;
      if (!wasCanceled) signal.throwIfAborted();
      if (isOutage(error) || error instanceof JobUnfinished) throw error;
      if (wasCanceled) return failedOutcome(signal.reason.message);
      const text = errorText(error);
      log.write("error", text);
      return failedOutcome(text);
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    let waitMs = renewEveryMs;
    for (;;) {
      await this.#renewal.wait(waitMs, clock, signal);
      waitMs = renewEveryMs;
      if (this.#active.size === 0) continue;
      try {
        if (await this.#renewAll()) waitMs = lapseCheckMs;
      } catch (error) {
        logger.warn({ error: errorText(error) }, "cannot renew job leases, retrying");
      }
    }
  }

  /** Renews the leases of all jobs; resolves to whether some could not be renewed because their jobs are locked. */
  async #renewAll(): Promise<boolean> {
    const { clock, heartbeats } = this.#options;
    const asked = [...this.#active];
    const moment = momentOf(clock);
    const renewals = asked.map(([, { lease }]) => ({ ...lease.holder, seconds: lease.seconds }));
    const results = await heartbeats.run((db) => renewLeases(db, renewals));
    let areLocked = false;
    for (const [jobId, { lease, controller }] of asked) {
      const result = results.get(jobId);
      if (result === undefined) controller.abort(new JobLost());
      else if (result === "locked") areLocked = true;
      else lease.noteRenewal(moment);
      if (result === "canceled") controller.abort(new JobCanceled());
    }
    return areLocked;
  }

  /** Gives up jobs whose leases could not be renewed, before another worker takes them. */
  async #endLapsed(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#options.clock.sleep(lapseCheckMs, signal);
      for (const { lease, controller } of this.#active.values()) {
        if (lease.isLapsing) controller.abort(new JobLost());
        else if (lease.isDoubtful) this.#renewal.wake();
      }
    }
  }
}

/** A job that a worker carries out. */
interface ActiveJob {
  readonly lease: JobLease;
  readonly controller: AbortController;
}

/** The abort reason of a canceled job's signal. */
export class JobCanceled extends Error {
  override readonly name = "JobCanceled";
  readonly code = "job-canceled";

  constructor() {
    super("canceled");
  }
}

/** The error of a job whose work goes on, or is unknown: another attempt continues it. */
export class JobUnfinished extends Error {
  override readonly name = "JobUnfinished";
  readonly code = "job-unfinished";

  constructor() {
    super("the connection to the provisioner was lost");
  }
}
