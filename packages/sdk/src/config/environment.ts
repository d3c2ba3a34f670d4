/** Variables of a process, as Node gives them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the variables with which this process was started. */
export function processEnvironment(): NodeJS.ProcessEnv {
  return process.env;
}

/** Returns the first variable that is set and not empty. */
export function firstVariable(environment: Environment, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = environment[name];
    if (value !== undefined && value !== "") return value;
  }
  return undefined;
}
