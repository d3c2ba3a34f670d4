import { statfs } from "node:fs/promises";

import type { Usage } from "./memory-usage.ts";

/** Returns the usage of the file system that holds the path; undefined where it cannot be read. */
export async function volumeUsage(path: string): Promise<Usage | undefined> {
  try {
    const { blocks, bfree, bsize } = await statfs(path);
    return { used: (blocks - bfree) * bsize, total: blocks * bsize };
  } catch {
    // Left out of the report, which the server counts as unknown (docs/protocol/rpc.md §7.10).
    return undefined;
  }
}
