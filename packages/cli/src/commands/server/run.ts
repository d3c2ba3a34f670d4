import { fileURLToPath } from "node:url";

import { type OptionsOf, variablesOf } from "../../command/definition.ts";
import type { Interruption } from "../../command/interruption.ts";
import type { Needs } from "../../command/needs.ts";
import { packageDirectory } from "../../config/package-directory.ts";
import { command } from "./command.ts";

/** The part of the server's package that is used here; flags have the names of its variables. */
interface ServerModule {
  readonly runServer: (
    options: Interruption & {
      readonly flags: Readonly<Record<string, string | undefined>>;
      readonly environment: NodeJS.ProcessEnv;
      readonly demo: boolean;
      /** The agent's program and its arguments. */
      readonly agentCommand: readonly string[];
      readonly installCommand: string;
      /** Programs for workspaces on this machine, by name. */
      readonly workspacePrograms: Readonly<Record<string, readonly string[]>>;
      readonly stdout: (text: string) => void;
      readonly stderr: (text: string) => void;
    },
  ) => Promise<number>;
}

/** Built by `tools/build-agent.ts`. */
const workspaceBundle = new URL("dist/workspace.js", packageDirectory);

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, environment, interruption }: Pick<Needs, "terminal" | "environment" | "interruption">,
): Promise<number> {
  const { runServer }: ServerModule = await import("@slipway/server");
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
    stdout: (text) => terminal.out.write(text),
    stderr: (text) => terminal.err.write(text),
  });
}

/** Quotes a path for a shell. */
function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
