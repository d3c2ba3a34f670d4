/** An invalid configuration; reports all its faults at once. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "bad-configuration";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}
