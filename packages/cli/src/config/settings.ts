import { isAbsolute, join } from "node:path";

import { homeDirectory } from "@slipway/runtime/home-directory";

import { type Environment, firstVariable } from "./environment.ts";
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
  /** The token from a flag or variable; undefined if `token` comes from a stored session, or there is none. */
  readonly givenToken: string | undefined;
  readonly files: SessionFiles;
  /** The name or id of the organization of templates and jobs. */
  readonly organization: string;
}

/**
 * Reads settings from flags, then variables, then stored files. A stored token goes only to the server that issued
 * it: with another address there is no token. Throws `RangeError` for an invalid address.
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

/** Returns the directory of the stored session: the flag, then the variables, then `slipway` below XDG's directory. */
export function configDirectory(flag: string | undefined, environment: Environment): string {
  if (flag !== undefined) return flag;
  const named = firstVariable(environment, "SLIPWAY_CONFIG_DIR", "CODER_CONFIG_DIR");
  if (named !== undefined) return named;
  const base = environment["XDG_CONFIG_HOME"] ?? "";
  // XDG's specification requires a relative path to be ignored.
  const isUsable = isAbsolute(base);
  return join(isUsable ? base : join(homeDirectory(environment), ".config"), "slipway");
}

/** Hosts of this machine, which have no certificates. */
const localHost = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=[:/]|$)/;

/**
 * Reads a typed server address and returns it in the form in which it is stored and compared: with a scheme (`http`
 * for this machine, otherwise `https`), without a trailing slash. Throws `RangeError` for anything else.
 */
export function readServerUrl(text: string): string {
  const trimmed = text.trim();
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed);
  const withScheme = hasScheme
    ? trimmed
    : `${localHost.test(trimmed) ? "http" : "https"}://${trimmed}`;
  const url = URL.parse(withScheme);
  if (url === null || url.host === "" || !/^https?:$/.test(url.protocol)) {
    throw new RangeError(
      `"${text}" is not a server address, wanted one such as https://slipway.example.com`,
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}
