import { configDirectory } from "./directory.ts";
import { type Environment, firstVariable } from "./environment.ts";
import { readServerUrl } from "./server-url.ts";
import { SessionFiles } from "./session-files.ts";

/** Flags that every command takes. */
export interface GlobalFlags {
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly configDir: string | undefined;
}

/** Which server, as whom, and where that is kept. */
export interface Settings {
  readonly url: string | undefined;
  readonly token: string | undefined;
  /** The token of a flag or a variable; undefined when `token` was kept from a log-in, or there is none. */
  readonly givenToken: string | undefined;
  readonly files: SessionFiles;
}

/**
 * Puts flags before variables before what is kept. A kept token goes only to the server that gave it: with another
 * address there is none. Throws `TypeError` for an address that is none.
 */
export async function readSettings(
  flags: GlobalFlags,
  environment: Environment,
): Promise<Settings> {
  const files = new SessionFiles(configDirectory(flags.configDir, environment));
  const stored = await files.read();
  const given = flags.url ?? firstVariable(environment, "CODER_URL", "SLIPWAY_URL") ?? stored.url;
  const url = given === undefined ? undefined : readServerUrl(given);
  const givenToken =
    flags.token ?? firstVariable(environment, "CODER_SESSION_TOKEN", "SLIPWAY_SESSION_TOKEN");
  const keptToken = url === stored.url ? stored.token : undefined;
  return { url, token: givenToken ?? keptToken, givenToken, files };
}
