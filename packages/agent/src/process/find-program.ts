import { access, constants, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";

/** Finds the first of the programs in the absolute directories of PATH; undefined if there is none. */
export async function findProgram(
  names: readonly string[],
  path: string | undefined,
): Promise<string | undefined> {
  const folders = (path ?? "").split(":").filter((folder) => isAbsolute(folder));
  for (const program of names.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    if (await isProgram(program)) return program;
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    // Absent, or another user's.
    return false;
  }
}
