import { join } from "node:path";

import { makeDirectories } from "@slipway/runtime/make-directories";

import { dataName } from "../process/private-directory.ts";

/** The directories of the scripts' files and logs (docs/protocol/agent.md §4.3). */
export interface ScriptDirectories {
  readonly dataDir: string;
  readonly logDir: string;
}

/** The directory for programs that scripts add to the path of all commands. */
export function scriptBinDirectory(dataDir: string): string {
  return join(dataDir, dataName, "bin");
}

export async function makeScriptBinDirectory(dataDir: string): Promise<void> {
  await makeDirectories(scriptBinDirectory(dataDir), 0o700);
}

/** The directory of one script. */
export function scriptDataDirectory(dataDir: string, logSourceId: string): string {
  return join(dataDir, dataName, logSourceId);
}

export async function makeScriptDataDirectory(dataDir: string, logSourceId: string): Promise<void> {
  await makeDirectories(scriptDataDirectory(dataDir, logSourceId), 0o700);
}
