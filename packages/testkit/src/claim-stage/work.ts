import { systemClock } from "@slipway/runtime";
import {
  type AcquiredJob,
  buildHandler,
  endJob,
  importHandler,
  JobCanceled,
  JobLease,
  type JobHandler,
  JobLogWriter,
  type JobOutcome,
  WorkspaceTurns,
} from "@slipway/server/claims";

import { ManualDriver } from "./manual-driver.ts";
import type { StageNeeds } from "./stage-needs.ts";

/** A job that a worker has acquired; its driver waits for the test. */
export class Work {
  readonly job: AcquiredJob;
  readonly workerId: string;
  readonly #needs: StageNeeds;
  readonly #driver: ManualDriver;
  readonly #log: JobLogWriter;
  readonly #lease: JobLease;
  readonly #canceled = new AbortController();
  readonly #outcome: Promise<JobOutcome>;

  private constructor(needs: StageNeeds, workerId: string, job: AcquiredJob) {
    const { db, pubsub } = needs;
    this.job = job;
    this.workerId = workerId;
    this.#needs = needs;
    this.#driver = new ManualDriver(needs.driver);
    this.#log = new JobLogWriter(db, pubsub, job.id);
    const holder = { jobId: job.id, workerId, attempt: job.attempt };
    this.#lease = new JobLease({ db, clock: systemClock }, holder);
    this.#outcome = this.#handler()(job, this.#log, this.#canceled.signal, this.#lease);
    this.#outcome.catch(() => undefined);
  }

  /** Runs the steps before the driver's. */
  static async begin(needs: StageNeeds, workerId: string, job: AcquiredJob): Promise<Work> {
    const work = new Work(needs, workerId, job);
    await Promise.race([work.#driver.begun, work.#outcome]);
    return work;
  }

  /** Ends the job; false when another worker has acquired it. */
  async end(how: "succeed" | "fail" | "cancel"): Promise<boolean> {
    if (how === "cancel") this.#canceled.abort(new JobCanceled());
    else this.#driver.end(how);
    const outcome = await this.#outcome;
    await this.#log.flush();
    return endJob(this.#needs.db, this.#lease.holder, outcome);
  }

  #handler(): JobHandler {
    const { db, secrets } = this.#needs;
    const drivers = new Map([[this.#driver.name, this.#driver]]);
    const accessUrl = "https://slipway.test";
    const needs = {
      db,
      secrets,
      drivers,
      accessUrl,
      unpackDir: "",
      turns: new WorkspaceTurns(),
      clock: systemClock,
      stageSeconds: { observe: () => undefined },
    };
    return this.job.type === "template_version_import" ? importHandler(needs) : buildHandler(needs);
  }
}
