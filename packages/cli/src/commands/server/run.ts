import { fileURLToPath } from "node:url";

import { type OptionsOf, variablesOf } from "../../command/definition.ts";
import type { Needs } from "../../command/needs.ts";
import { packageDirectory } from "../../config/package-directory.ts";
import { shellWord } from "../../terminal/shell-word.ts";
import { command } from "./command.ts";
import { limitHeap } from "./limit-heap.ts";
import { loadServer } from "./load-server.ts";

/** Built by `tools/build-agent.ts`. */
const workspaceBundle = new URL("dist/workspace.js", packageDirectory);
const archiveTool = new URL("../../tools/build-archive.ts", packageDirectory);

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, environment, interruption }: Pick<Needs, "terminal" | "environment" | "interruption">,
): Promise<number> {
  const { runServer } = await loadServer();
  // Not before its modules are loaded: V8 takes the compiled form of Node.js's own only with its usual flags.
  limitHeap();
  return runServer({
    ...interruption,
    flags: variablesOf(command, options),
    environment,
    demo: options.demo,
    agentCommand: [process.execPath, fileURLToPath(import.meta.resolve("@slipway/agent/program"))],
    installCommand: `npm install --global ${shellWord(fileURLToPath(packageDirectory).replace(/[/\\]$/, ""))}`,
    workspacePrograms: {
      slipway: [process.execPath, fileURLToPath(workspaceBundle)],
      node: [process.execPath],
    },
    archiveCommand: [process.execPath, fileURLToPath(archiveTool)],
    stdout: (text) => terminal.out.write(text),
    stderr: (text) => terminal.err.write(text),
  });
}
