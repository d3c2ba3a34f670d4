/**
 * Bundles programs into one file each: the stand-alone agent, the command for use inside workspaces, and the command
 * itself with its server, which start several times faster from one file than from their sources. Skips those that
 * are newer than all their inputs. `--verbose` prints sizes and times, `--force` always builds.
 */
import { parseArgs } from "node:util";

import { buildAgent } from "./agent-bundle.ts";

const programs = [
  {
    entry: "packages/agent/src/main/main.ts",
    output: "packages/agent/dist/agent.cjs",
    format: "cjs",
  },
  // The part that the agent loads with its first SSH connection, for those who ship it without its packages.
  {
    entry: "node_modules/ssh2/lib/server.js",
    output: "packages/agent/dist/ssh2.cjs",
    format: "module",
  },
  // The part that `slipway ssh` loads: in an ES module, ssh2 does not find the names of its files.
  {
    entry: "node_modules/ssh2/lib/client.js",
    output: "packages/cli/dist/bundle/ssh2.cjs",
    format: "module",
    // `packages/cli/src/commands/ssh/ssh2.ts` does not offer it.
    withoutChaCha: true,
  },
  // The part that `slipway mcp` loads.
  {
    entry: "packages/mcp/src/stdio.ts",
    output: "packages/cli/dist/bundle/mcp.cjs",
    format: "module",
  },
  { entry: "packages/cli/src/workspace-main.ts", output: "packages/cli/dist/workspace.js" },
  {
    entry: "packages/cli/src/main.ts",
    output: "packages/cli/dist/bundle/slipway.chunks.js",
    format: "chunks",
    loadedLater: [
      "@slipway/server",
      "@slipway/agent",
      "@slipway/mcp/stdio",
      "@clack/prompts",
      "ssh2",
    ],
    // Most commands need none of them but `net`, which comes with `http`.
    builtinsOnUse: [
      "node:child_process",
      "node:crypto",
      "node:dgram",
      "node:dns",
      "node:dns/promises",
      "node:fs/promises",
      "node:http",
      "node:net",
      "node:stream/promises",
      "node:timers/promises",
      "node:tty",
      "node:v8",
      "node:zlib",
    ],
  },
  // The part that starts that bundle.
  {
    entry: "packages/cli/src/start.ts",
    output: "packages/cli/dist/bundle/start.cjs",
    format: "cjs",
  },
  // The part that `slipway server` loads; pino looks for files next to its own.
  {
    entry: "packages/server/src/index.ts",
    output: "packages/server/dist/bundle/server.js",
    loadedLater: ["pino", "pino-pretty"],
    keepLines: true,
  },
] as const;

const { values } = parseArgs({
  options: {
    force: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

for (const program of programs) {
  const startedMs = performance.now();
  const result = await buildAgent({ ...program, force: values.force });
  if (values.verbose) {
    const kilobytes = ((result.bytes ?? 0) / 1000).toFixed(0);
    const size = result.bytes === undefined ? "up to date" : `${kilobytes} kB`;
    const ms = (performance.now() - startedMs).toFixed(0);
    process.stdout.write(`${program.output}: ${size}, ${ms} ms\n`);
  }
}
