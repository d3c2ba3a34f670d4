import { resolve, win32 } from "node:path";

import { shellWord } from "@slipway/runtime";
import type { CertificateFiles } from "@slipway/sdk/node";
import type { Environment } from "@slipway/sdk/session";

import type { OptionsOf } from "../../command/definition.ts";
import { UsageError } from "../../command/errors.ts";
import { flagName } from "../../command/flags.ts";
import { ownCommand } from "../../config/own-command.ts";
import type { command } from "../config-ssh.ts";

type Options = Pick<
  OptionsOf<typeof command>,
  "binaryPath" | "forceUnixFilepaths" | "wait" | "disableAutostart"
>;

/** The files of this machine that SSH connections use. */
export interface ProxyFiles {
  /** The directory of the stored session. */
  readonly session: string;
  /** The script that prints the headers of a proxy in front of the server; undefined for none. */
  readonly headerScript: string | undefined;
  readonly certificates: CertificateFiles;
}

/**
 * Returns the words that run `slipway ssh --stdio` like this command. Others can read them, in the configuration and
 * in the list of processes: they contain only paths. Throws `UsageError` for a path that ssh could not run.
 */
export async function proxyWords(
  options: Options,
  { session, headerScript, certificates }: ProxyFiles,
  environment: Environment,
): Promise<readonly string[]> {
  const written = options.forceUnixFilepaths ? unixPath : (path: string): string => path;
  const files = Object.entries({
    clientTlsCertFile: certificates.cert,
    clientTlsKeyFile: certificates.key,
    clientTlsCaFile: certificates.ca,
  });
  const words = [
    ...(await programWords(options.binaryPath, environment)).map(written),
    // `coder` has only the other name.
    options.binaryPath === undefined ? "--config-dir" : "--global-config",
    written(resolve(session)),
    ...(headerScript === undefined
      ? []
      : ["--header-command", `sh ${shellWord(written(headerScript))}`]),
    ...files.flatMap(([key, file]) =>
      file === undefined ? [] : [flagName(key), written(resolve(file.path))],
    ),
    "ssh",
    "--stdio",
    ...(options.wait === "auto" ? [] : ["--wait", options.wait]),
    ...(options.disableAutostart ? ["--disable-autostart"] : []),
  ];
  for (const word of words) checkWord(word);
  return words;
}

async function programWords(
  path: string | undefined,
  environment: Environment,
): Promise<readonly string[]> {
  if (path === undefined) return ownCommand(environment);
  // Paths of Windows and of Unix alike: the configuration may be for the other side of the same machine.
  if (win32.isAbsolute(path)) return [path];
  throw new UsageError(
    `--binary-path "${path}" is not absolute, wanted one such as /usr/local/bin/slipway`,
  );
}

/** Returns a path of Windows with slashes; in other paths a backslash is part of a name. */
function unixPath(path: string): string {
  return /^(?:[A-Za-z]:\\|\\\\)/.test(path) ? path.replaceAll("\\", "/") : path;
}

function checkWord(word: string): void {
  // oxlint-disable-next-line no-control-regex -- a line feed would begin another option
  if (!/[\u0000-\u001F\u007F]/.test(word)) return;
  throw new UsageError(`ssh cannot run ${JSON.stringify(word)}, which has a control character`);
}
