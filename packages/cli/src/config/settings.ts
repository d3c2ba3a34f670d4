import {
  type Environment,
  findSession,
  firstVariable,
  type FoundSession,
} from "@slipway/sdk/session";

/** Flags that every command takes. */
export interface GlobalFlags {
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly configDir: string | undefined;
  readonly org: string | undefined;
  readonly header: readonly string[];
  readonly headerCommand: string | undefined;
  readonly clientTlsCertFile: string | undefined;
  readonly clientTlsKeyFile: string | undefined;
  readonly clientTlsCaFile: string | undefined;
}

/** The server, the session token and the files that store them. */
export interface StoredSettings extends FoundSession {
  /** The name or id of the organization of templates and jobs. */
  readonly organization: string;
}

/** Reads settings from flags, then variables, then stored files, as `findSession` does. */
export async function readSettings(
  flags: Pick<GlobalFlags, "url" | "token" | "configDir" | "org">,
  environment: Environment,
): Promise<StoredSettings> {
  const session = await findSession(flags, environment);
  const organization = flags.org ?? firstVariable(environment, "CODER_ORGANIZATION") ?? "default";
  return { ...session, organization };
}
