/** A schedule that cannot be read. */
export class CronError extends Error {
  override readonly name = "CronError";
  readonly code = "bad-cron";
}
