import type { CertificateFile, CertificateFiles, RequestHeaders } from "@slipway/sdk/node";

import { type Environment, firstVariable } from "../config/environment.ts";
import type { GlobalFlags } from "../config/settings.ts";
import { CommandError } from "./errors.ts";

/**
 * Prepares the way through a proxy in front of a server: its client certificate is presented from then on. Returns the headers
 * of every request.
 */
export type PrepareAccess = (serverUrl: string) => Promise<RequestHeaders>;

type AccessFlags = Pick<
  GlobalFlags,
  "header" | "headerCommand" | "clientTlsCertFile" | "clientTlsKeyFile" | "clientTlsCaFile"
>;

/**
 * Returns how to prepare access by flags, or else variables: the headers, and then those that the header command prints for
 * this server. Throws `CommandError`, and the signal's reason.
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

function headerReader(
  { header, headerCommand }: Pick<GlobalFlags, "header" | "headerCommand">,
  environment: Environment,
  signal: AbortSignal,
): PrepareAccess {
  const variable = firstVariable(environment, "CODER_HEADER");
  const command = headerCommand ?? firstVariable(environment, "CODER_HEADER_COMMAND");
  if (header.length === 0 && variable === undefined && command === undefined)
    return async () => ({});
  return async (serverUrl) => {
    const { parseHeaders, RequestHeaderError, runHeaderCommand, splitHeaders } =
      await import("@slipway/sdk/node");
    try {
      const given =
        header.length > 0
          ? parseHeaders(header, "--header")
          : parseHeaders(splitHeaders(variable ?? ""), "CODER_HEADER");
      if (command === undefined) return given;
      return { ...given, ...(await runHeaderCommand(command, { serverUrl, environment, signal })) };
    } catch (error) {
      if (error instanceof RequestHeaderError) throw new CommandError(error.message);
      throw error;
    }
  };
}
