import { expandVariables } from "./expand.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** The sources of a command's environment. */
export interface EnvironmentSources {
  /** The first variables, which the process never overrides: the agent's token and the names of its workspace. */
  readonly base: Variables;
  /** The agent's own environment. */
  readonly process: Variables;
  /** The variables that a client requests; they override neither of the two above. */
  readonly requested: Variables;
  readonly user: { readonly name: string; readonly home: string; readonly shell: string };
  /** The variables of the manifest; values may refer to variables of the process. */
  readonly manifest: Variables;
  readonly secrets: Variables;
  /** The directory at the front of PATH. */
  readonly binDirectory: string;
  /** The directory of the agent's own command, at the end of PATH; undefined if the machine has none. */
  readonly commandDirectory: string | undefined;
}

/** The variables by which tools recognize a remote session. */
const session: Variables = {
  SSH_CLIENT: "0.0.0.0 0 0",
  SSH_CONNECTION: "0.0.0.0 0 0.0.0.0 0",
};

/** Builds the environment of a command, in the order of docs/protocol/agent.md §4.2. `extra` overrides everything. */
export function buildEnvironment(
  sources: EnvironmentSources,
  extra: Variables = {},
): Record<string, string> {
  const { base, process, requested, user, manifest, secrets, commandDirectory } = sources;
  const who = { HOME: user.home, USER: user.name, LOGNAME: user.name, SHELL: user.shell };
  const result: Record<string, string> = {};
  for (const source of [base, process, requested, who]) fillAbsent(result, source);
  for (const [key, value] of Object.entries(manifest)) {
    if (value !== undefined) result[key] = expandVariables(value, process);
  }
  override(result, secrets);
  if (commandDirectory !== undefined) result["GIT_ASKPASS"] = `${commandDirectory}/slipway`;
  const path = [sources.binDirectory, result["PATH"], commandDirectory];
  result["PATH"] = path.filter((part) => part !== undefined && part !== "").join(":");
  override(result, session);
  override(result, extra);
  return result;
}

function fillAbsent(target: Record<string, string>, source: Variables): void {
  for (const [key, value] of Object.entries(source)) {
    if (value !== undefined && !Object.hasOwn(target, key)) target[key] = value;
  }
}

function override(target: Record<string, string>, source: Variables): void {
  for (const [key, value] of Object.entries(source)) {
    if (value !== undefined) target[key] = value;
  }
}
