/** The abort reason of a canceled job's signal. */
export class JobCanceled extends Error {
  override readonly name = "JobCanceled";
  readonly code = "job-canceled";

  constructor() {
    super("canceled");
  }
}
