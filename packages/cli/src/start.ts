import type { CompiledCodeOptions } from "./config/compiled-code.ts";
import { freshBundle } from "./config/fresh-bundle.ts";
import { runChunks } from "./config/run-chunks.ts";

const thisBundle = "cli/dist/bundle/start.cjs";
const commandBundle = "cli/dist/bundle/slipway.chunks.js";

/**
 * Runs the command from its bundle. Returns false, and runs nothing, if there is none or a source is newer. `npm ci`
 * bundles this module too, as stripping its types takes as long as starting Node.js.
 */
export function runFreshBundle(options: CompiledCodeOptions): boolean {
  const bundle = freshBundle(thisBundle) && freshBundle(commandBundle);
  if (bundle === undefined) return false;
  runChunks(bundle, options);
  return true;
}
