/** Why a job's signal is aborted when somebody canceled it. */
export class JobCanceled extends Error {
  override readonly name = "JobCanceled";
  readonly code = "job-canceled";

  constructor() {
    super("canceled");
  }
}
