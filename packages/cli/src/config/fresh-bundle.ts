import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The directory of the packages, in a clone and in a release. */
const packages = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Returns the path of a bundle that `npm ci` built from the sources, unless one of them is newer: a single file loads
 * several times as fast. `path` is relative to the directory of the packages. Also undefined if there is no bundle. A
 * release has no sources, and so no list of them beside a bundle.
 */
export function freshBundle(path: string): string | undefined {
  const bundle = join(packages, path);
  const list = `${bundle}.inputs.json`;
  try {
    const builtMs = statSync(bundle).mtimeMs;
    if (!existsSync(list)) return bundle;
    const inputs: readonly string[] = JSON.parse(readFileSync(list, "utf8"));
    const sources = inputs.filter((input) => input.startsWith("packages/"));
    // Hundreds of paths, which `join` would take longer to normalize than the file system to look up.
    const isFresh = sources.every(
      (source) => statSync(`${packages}../${source}`).mtimeMs <= builtMs,
    );
    return isFresh ? bundle : undefined;
  } catch {
    return undefined; // The bundle or a source is not there.
  }
}
