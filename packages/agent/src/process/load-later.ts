import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** A module that is loaded on demand: from its package, or from a file beside the agent's program. */
export interface LaterModule {
  /** Its name for `require`. */
  readonly name: string;
  readonly fileBeside: string;
}

// A bundle has no URL.
const program = process.argv[1] ?? process.execPath;
const load = createRequire(import.meta.url ?? program);

/** Loads the module, which the caller checks. Throws the error of the first attempt. */
export function loadLater({ name, fileBeside }: LaterModule): unknown {
  try {
    return load(name);
  } catch (error) {
    try {
      return load(join(dirname(program), fileBeside));
    } catch {
      throw error;
    }
  }
}

/** Returns the path of a file of a package. Throws the loader's error. */
export function resolveLater(name: string): string {
  return load.resolve(name);
}
