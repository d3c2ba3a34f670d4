import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";

/** The state that a running server reports in `postmaster.pid`. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  readonly socketDirectory: string;
  readonly status: "starting" | "ready" | "stopping";
}

/** Reads the `postmaster.pid` of a database; undefined if there is none, or it is not complete yet. */
export async function readPostmasterFile(
  clusterDirectory: string,
): Promise<PostmasterFile | undefined> {
  try {
    return parsePostmasterFile(await readFile(postmasterFilePath(clusterDirectory), "utf8"));
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

export function postmasterFilePath(clusterDirectory: string): string {
  return join(clusterDirectory, "postmaster.pid");
}

/**
 * Parses one value per line: pid, data directory, start time, port, socket directory, listen address, shared memory
 * key, status. The server writes the lines after the fifth as it starts up.
 */
export function parsePostmasterFile(text: string): PostmasterFile | undefined {
  const [pid, , , port, socketDirectory, , , status] = text.split("\n").map((line) => line.trim());
  if (!/^\d+$/.test(pid ?? "") || socketDirectory === undefined) return undefined;
  return {
    pid: Number(pid),
    port: Number(port),
    socketDirectory,
    status: status === "ready" || status === "stopping" ? status : "starting",
  };
}
