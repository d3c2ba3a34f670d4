import { isProviderSecret } from "./external-auth-settings.ts";
import { isLogInSecret } from "./login-settings.ts";

/** Variables that hold secrets of the server or of its operator. */
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
 * Removes secrets from an environment whose settings were read, so that child processes do not inherit them. The system
 * keeps a process's initial environment (`/proc/<pid>/environ`) for its own user and root.
 */
export function removeSecrets(environment: Record<string, string | undefined>): void {
  for (const name of Object.keys(environment)) {
    if (isSecretVariable(name)) delete environment[name];
  }
}

/** Returns whether a variable holds a secret of the server or of its operator. */
export function isSecretVariable(name: string): boolean {
  return (
    secretVariables.some((one) => one === name) || isProviderSecret(name) || isLogInSecret(name)
  );
}

/**
 * Returns whether flags, by the names of their variables, hold a secret: every user of the machine may read a command
 * line.
 */
export function holdsSecret(flags: Readonly<Record<string, string | undefined>>): boolean {
  return secretVariables.some((name) => flags[name] !== undefined);
}
