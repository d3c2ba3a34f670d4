/** The settings of a command of the server. */
export interface GivenSettings {
  /** Settings passed as flags, by the names of their variables; they override the environment. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Returns the settings by the names of their variables. */
export function settingSource({
  flags,
  environment,
}: GivenSettings): Record<string, string | undefined> {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  return { ...environment, ...Object.fromEntries(given) };
}
