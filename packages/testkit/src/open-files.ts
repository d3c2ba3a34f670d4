import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Returns the paths of the files that this process has open, where the system tells. */
export function openFiles(): readonly string[] {
  const directory = "/proc/self/fd";
  try {
    return readdirSync(directory).map((name) => linkTarget(join(directory, name)));
  } catch {
    return [];
  }
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed meanwhile.
    return "";
  }
}
