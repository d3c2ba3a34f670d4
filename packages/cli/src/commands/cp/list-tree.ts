import type { FileEntry } from "@slipway/api/agents/file-routes";

import { CommandError } from "../../command/errors.ts";
import { type CopyNeeds, remoteJoin } from "./copy.ts";
import { isLossy } from "./unpack-tree.ts";

/** The maximum number of entries of a tree, and its depth. */
const maxEntries = 1_000_000;
const maxDepth = 128;

/** Lists all that is below a directory of a workspace, by its path from there. Links are not followed. */
export async function listTree(
  directory: string,
  { files, signal }: Pick<CopyNeeds, "files" | "signal">,
): Promise<ReadonlyMap<string, FileEntry>> {
  const found = new Map<string, FileEntry>();
  const waiting = [""];
  for (let prefix = waiting.pop(); prefix !== undefined; prefix = waiting.pop()) {
    const path = prefix === "" ? directory : remoteJoin(directory, prefix);
    for await (const entry of files.list(path, { signal })) {
      const name = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
      found.set(name, entry);
      if (found.size > maxEntries || name.split("/").length > maxDepth) {
        throw new CommandError(
          `${directory} has more than ${maxEntries} entries or ${maxDepth} levels`,
        );
      }
      // A directory whose name is not UTF-8 cannot be named.
      if (entry.type === "directory" && !isLossy(name)) waiting.push(name);
    }
  }
  return found;
}
