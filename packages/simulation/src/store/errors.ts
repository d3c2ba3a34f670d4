/** The error for a row that would duplicate a unique value. */
export class UniqueViolation extends Error {
  override readonly name = "UniqueViolation";
  readonly code = "23505";
  readonly key: string;

  constructor(key: string) {
    super(`there is a row with ${key} already`);
    this.key = key;
  }
}

/** The error of a transaction that yields because another one waits for it too. */
export class Deadlock extends Error {
  override readonly name = "Deadlock";
  readonly code = "40P01";
}

/** The error of a broken database connection; the outcome of a commit is unknown. */
export class Outage extends Error {
  override readonly name = "Outage";
  readonly code = "08006";
}
