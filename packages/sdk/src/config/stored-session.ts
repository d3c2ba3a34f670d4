import { isAbsolute, join } from "node:path";

import { homeDirectory } from "@slipway/runtime/home-directory";

import { type Environment, firstVariable } from "./environment.ts";
import { SessionFiles } from "./session-files.ts";

/** A server, and the session token for it; either may be missing. */
export interface FoundSession {
  readonly url: string | undefined;
  readonly token: string | undefined;
  /** The token that was given or is in a variable; undefined if `token` comes from a stored session. */
  readonly givenToken: string | undefined;
  /** The files of the stored session. */
  readonly files: SessionFiles;
}

/** The parts of a session that take precedence over variables and files. */
export interface GivenSession {
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly configDir: string | undefined;
}

/**
 * Finds a session: what is given, then variables, then stored files. A stored token goes only to the server that issued
 * it: with another address there is no token. Throws `RangeError` for an invalid address.
 */
export async function findSession(
  given: GivenSession,
  environment: Environment,
): Promise<FoundSession> {
  const files = new SessionFiles(configDirectory(given.configDir, environment));
  const stored = await files.read();
  const address = given.url ?? firstVariable(environment, "CODER_URL", "SLIPWAY_URL") ?? stored.url;
  const url = address === undefined ? undefined : readServerUrl(address);
  const givenToken =
    given.token ?? firstVariable(environment, "CODER_SESSION_TOKEN", "SLIPWAY_SESSION_TOKEN");
  const keptToken = url === stored.url ? stored.token : undefined;
  return { url, token: givenToken ?? keptToken, givenToken, files };
}

/** Returns the directory of the stored session: the given one, then the variables, then `slipway` below XDG's directory. */
export function configDirectory(given: string | undefined, environment: Environment): string {
  if (given !== undefined) return given;
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
