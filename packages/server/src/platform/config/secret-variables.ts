/** Variables that hold secrets of the server, or of whoever started it. */
const secretVariables = [
  "SLIPWAY_ADMIN_PASSWORD",
  "SLIPWAY_SECRET_KEY",
  "SLIPWAY_POSTGRES_URL",
  "PGPASSWORD",
  "CODER_SESSION_TOKEN",
  "SLIPWAY_SESSION_TOKEN",
  "CODER_AGENT_TOKEN",
] as const;

/**
 * Removes the secrets from an environment whose settings were read, so that no program that is started gets them by
 * inheritance. The system keeps what a process was started with (`/proc/<pid>/environ`) for its own user and root.
 */
export function removeSecrets(environment: Record<string, string | undefined>): void {
  for (const name of secretVariables) delete environment[name];
}

/** Whether flags, by the names of their variables, hold one: every user of the machine may read a command line. */
export function holdsSecret(flags: Readonly<Record<string, string | undefined>>): boolean {
  return secretVariables.some((name) => flags[name] !== undefined);
}
