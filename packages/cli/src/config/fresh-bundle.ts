import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const clone = fileURLToPath(new URL("../../../../", import.meta.url));

/**
 * Returns the path of a bundle that `npm ci` built of the sources, unless one of them is newer: one file loads several
 * times as fast. `path` begins at the clone. Undefined also where there is no bundle.
 */
export function freshBundle(path: string): string | undefined {
  const bundle = clone + path;
  try {
    const builtMs = statSync(bundle).mtimeMs;
    const inputs: readonly string[] = JSON.parse(readFileSync(`${bundle}.inputs.json`, "utf8"));
    const sources = inputs.filter((input) => input.startsWith("packages/"));
    const isFresh = sources.every((source) => statSync(clone + source).mtimeMs <= builtMs);
    return isFresh ? bundle : undefined;
  } catch {
    return undefined; // The bundle or a source is not there.
  }
}
