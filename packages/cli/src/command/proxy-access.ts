import type { CertificateFile, CertificateFiles, RequestHeaders } from "@slipway/sdk/node";
import { type Environment, firstVariable } from "@slipway/sdk/session";

import type { GlobalFlags } from "../config/settings.ts";
import { CommandError } from "./errors.ts";

/**
 * Prepares access through a proxy in front of a server: from then on its client certificate is presented. Returns the
 * headers of every request.
 */
export type PrepareAccess = (serverUrl: string) => Promise<RequestHeaders>;

/** The sources of headers, unparsed. */
export interface HeaderSettings {
  /** Items of the flag. */
  readonly flag: readonly string[];
  /** The text of the variable, used if the flag is missing. */
  readonly variable: string | undefined;
  /** The command that prints more headers. */
  readonly command: string | undefined;
}

type HeaderFlags = Pick<GlobalFlags, "header" | "headerCommand">;
type AccessFlags = Pick<
  GlobalFlags,
  "header" | "headerCommand" | "clientTlsCertFile" | "clientTlsKeyFile" | "clientTlsCaFile"
>;

/**
 * Returns the preparation of access from flags, or else variables: the headers, and then those that the header
 * command prints for this server. Throws `CommandError`, and the signal's reason.
 */
export function accessPreparer(
  flags: AccessFlags,
  environment: Environment,
  signal: AbortSignal,
): PrepareAccess {
  const files = certificateFiles(flags, environment);
  const readHeaders = headerReader(flags, environment, signal);
  return async (serverUrl) => {
    await presentFiles(serverUrl, files);
    return readHeaders(serverUrl);
  };
}

/** Presents the certificate to the server that commands inside a workspace call as its agent. */
export async function prepareAgentAccess(
  flags: AccessFlags,
  environment: Environment,
): Promise<void> {
  const url = firstVariable(environment, "CODER_AGENT_URL");
  if (url === undefined || !URL.canParse(url)) return;
  await presentFiles(url, certificateFiles(flags, environment));
}

/** Returns the files of the client certificate, each with the flag or variable that names it. */
export function certificateFiles(flags: AccessFlags, environment: Environment): CertificateFiles {
  const file = (given: string | undefined, what: string): CertificateFile | undefined => {
    if (given !== undefined)
      return { path: given, setting: `--client-tls-${what.toLowerCase()}-file` };
    const names = [`CODER_CLIENT_TLS_${what}_FILE`, `SLIPWAY_CLIENT_TLS_${what}_FILE`];
    const setting = names.find((name) => firstVariable(environment, name) !== undefined);
    return setting === undefined ? undefined : { path: environment[setting] ?? "", setting };
  };
  return {
    cert: file(flags.clientTlsCertFile, "CERT"),
    key: file(flags.clientTlsKeyFile, "KEY"),
    ca: file(flags.clientTlsCaFile, "CA"),
  };
}

async function presentFiles(serverUrl: string, files: CertificateFiles): Promise<void> {
  if (Object.values(files).every((file) => file === undefined)) return;
  const { ClientCertificateError, presentCertificateFiles } = await import("@slipway/sdk/node");
  try {
    await presentCertificateFiles(serverUrl, files);
  } catch (error) {
    if (error instanceof ClientCertificateError) throw new CommandError(error.message);
    throw error;
  }
}

/** Returns the sources of headers, from flags or else variables. */
export function headerSettings(
  { header, headerCommand }: HeaderFlags,
  environment: Environment,
): HeaderSettings {
  return {
    flag: header,
    variable: firstVariable(environment, "CODER_HEADER"),
    command: headerCommand ?? firstVariable(environment, "CODER_HEADER_COMMAND"),
  };
}

/** Parses the headers of the flag, or else of the variable. Throws a `CommandError` that quotes no value. */
export async function readGivenHeaders({
  flag,
  variable,
}: Pick<HeaderSettings, "flag" | "variable">): Promise<RequestHeaders> {
  if (flag.length === 0 && variable === undefined) return {};
  const { parseHeaders, splitHeaders } = await import("@slipway/sdk/node");
  return explained(() =>
    flag.length > 0
      ? parseHeaders(flag, "--header")
      : parseHeaders(splitHeaders(variable ?? ""), "CODER_HEADER"),
  );
}

function headerReader(
  flags: HeaderFlags,
  environment: Environment,
  signal: AbortSignal,
): PrepareAccess {
  const settings = headerSettings(flags, environment);
  const { command } = settings;
  return async (serverUrl) => {
    const given = await readGivenHeaders(settings);
    if (command === undefined) return given;
    const { runHeaderCommand } = await import("@slipway/sdk/node");
    const options = { serverUrl, environment, signal };
    return { ...given, ...(await explained(() => runHeaderCommand(command, options))) };
  };
}

async function explained<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { RequestHeaderError } = await import("@slipway/sdk/node");
    if (error instanceof RequestHeaderError) throw new CommandError(error.message);
    throw error;
  }
}
