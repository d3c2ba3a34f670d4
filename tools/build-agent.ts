/**
 * Bundles the stand-alone agent into one file, `packages/agent/dist/agent.js`. Does nothing when that is newer than all
 * that went into it. `--verbose` tells size and time, `--force` builds in any case.
 */
import { parseArgs } from "node:util";

import { buildAgent } from "./agent-bundle.ts";

const { values } = parseArgs({
  options: {
    entry: { type: "string", default: "packages/agent/src/main/main.ts" },
    output: { type: "string", default: "packages/agent/dist/agent.js" },
    force: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

const startedMs = performance.now();
const result = await buildAgent(values);
if (values.verbose) {
  const size = result.bytes === undefined ? "up to date" : `${(result.bytes / 1000).toFixed(0)} kB`;
  process.stdout.write(
    `${values.output}: ${size}, ${(performance.now() - startedMs).toFixed(0)} ms\n`,
  );
}
