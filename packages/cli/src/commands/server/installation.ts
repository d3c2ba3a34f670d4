import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { shellWord } from "@slipway/runtime";

/** The parts of an installation that its server distributes or runs. */
export interface Installation {
  /** The agent's program and its arguments. */
  readonly agentCommand: readonly string[];
  /** The command that makes `slipway` available in a shell of this machine. */
  readonly installCommand: string;
  /** Programs for workspaces on this machine, by name. */
  readonly workspacePrograms: Readonly<Record<string, readonly string[]>>;
  /** The archives of the agent and the command: the program that creates them, or their directory. */
  readonly archives: { readonly command: readonly string[] } | { readonly directory: string };
}

/**
 * Finds the parts of an installation: a clone, or a release with its own Node.js, in which `lib` corresponds to the
 * clone and the launcher is two levels above the package.
 */
export function findInstallation(packageDirectory: URL): Installation {
  const path = (relative: string): string => fileURLToPath(new URL(relative, packageDirectory));
  const archiveTool = path("../../tools/build-archive.ts");
  const node = [process.execPath];
  if (existsSync(archiveTool)) {
    return {
      agentCommand: [...node, fileURLToPath(import.meta.resolve("@slipway/agent/program"))],
      installCommand: `npm install --global ${shellWord(path(".").replace(/[/\\]$/, ""))}`,
      // `tools/build-agent.ts` builds the bundle.
      workspacePrograms: { slipway: [...node, path("dist/workspace.js")], node },
      archives: { command: [...node, archiveTool] },
    };
  }
  const launcher = path("../../../bin/slipway");
  return {
    agentCommand: [launcher, "agent"],
    installCommand: `export PATH="$PATH":${shellWord(path("../../../bin"))}`,
    workspacePrograms: { slipway: [launcher], node },
    archives: { directory: path("../../downloads") },
  };
}
