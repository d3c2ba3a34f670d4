import { createHash } from "node:crypto";
import { dirname, join } from "node:path";

import { makeDirectories } from "@slipway/runtime/make-directories";
import { replaceFile } from "@slipway/runtime/replace-file";

import { type HeaderSettings, readGivenHeaders } from "../../command/proxy-access.ts";

const directoryMode = 0o700;
const fileMode = 0o600;

/**
 * Returns the `sh` script that prints the headers of a proxy in front of the server, or undefined if there are none.
 * A file keeps them from others, who can read `ssh_config` and the arguments of processes.
 */
export async function headerScript(settings: HeaderSettings): Promise<string | undefined> {
  const headers = Object.entries(await readGivenHeaders(settings));
  const { command } = settings;
  if (headers.length === 0 && command === undefined) return undefined;
  const lines = headers.map(([name, value]) => `printf '%s\\n' ${quoted(`${name}=${value}`)}`);
  return `${[...lines, ...(command === undefined ? [] : [command])].join("\n")}\n`;
}

/** Returns the path of the script for an SSH configuration, among the files of the session. */
export function headerScriptPath(directory: string, configFile: string): string {
  const hash = createHash("sha256").update(configFile).digest("hex").slice(0, 16);
  return join(directory, `ssh-headers-${hash}`);
}

/** Writes a script that only its owner can read. */
export async function writeHeaderScript(path: string, script: string): Promise<void> {
  await makeDirectories(dirname(path), directoryMode);
  await replaceFile(path, script, { mode: fileMode });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
