/** The configuration cannot be used; says all that is wrong with it at once. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "bad-configuration";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}
