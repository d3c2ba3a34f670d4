import { configDirectory } from "./directory.ts";
import { type Environment, firstVariable } from "./environment.ts";
import { readServerUrl } from "./server-url.ts";
import { SessionFiles } from "./session-files.ts";

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
export interface StoredSettings {
  readonly url: string | undefined;
  readonly token: string | undefined;
  /** The token of a flag or variable; undefined if `token` comes from a stored session, or there is none. */
  readonly givenToken: string | undefined;
  readonly files: SessionFiles;
  /** The name or id of the organization of templates and jobs. */
  readonly organization: string;
}

/**
 * Reads settings from flags, then variables, then stored files. A stored token goes only to the server that issued it:
 * with another address there is none. Throws `RangeError` for an invalid address.
 */
export async function readSettings(
  flags: Pick<GlobalFlags, "url" | "token" | "configDir" | "org">,
  environment: Environment,
): Promise<StoredSettings> {
  const files = new SessionFiles(configDirectory(flags.configDir, environment));
  const stored = await files.read();
  const given = flags.url ?? firstVariable(environment, "CODER_URL", "SLIPWAY_URL") ?? stored.url;
  const url = given === undefined ? undefined : readServerUrl(given);
  const givenToken =
    flags.token ?? firstVariable(environment, "CODER_SESSION_TOKEN", "SLIPWAY_SESSION_TOKEN");
  const keptToken = url === stored.url ? stored.token : undefined;
  const organization = flags.org ?? firstVariable(environment, "CODER_ORGANIZATION") ?? "default";
  return { url, token: givenToken ?? keptToken, givenToken, files, organization };
}
