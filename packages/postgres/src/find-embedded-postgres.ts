import { join } from "node:path";

import { findBinaries } from "./binaries.ts";
import { clusterDirectoryOf } from "./cluster.ts";
import { connectionAt, type EmbeddedConnection } from "./connection.ts";
import { readPostmasterFile } from "./postmaster-file.ts";
import { isPostmasterOf } from "./postmaster.ts";
import { exists } from "./runtime-copy.ts";

/** Returns whether a data directory contains an embedded database. */
export async function hasEmbeddedPostgres(dataDir: string): Promise<boolean> {
  return exists(join(await clusterOf(dataDir), "PG_VERSION"));
}

/**
 * Returns the address of the embedded database that another process has open; undefined unless it is ready. Changes
 * nothing.
 */
export async function findEmbeddedPostgres(
  dataDir: string,
): Promise<EmbeddedConnection | undefined> {
  const cluster = await clusterOf(dataDir);
  const file = await readPostmasterFile(cluster);
  if (file?.status !== "ready" || !(await isPostmasterOf(file.pid, cluster))) return undefined;
  return connectionAt(file.socketDirectory, file.port);
}

async function clusterOf(dataDir: string): Promise<string> {
  return clusterDirectoryOf(dataDir, (await findBinaries()).majorVersion);
}
