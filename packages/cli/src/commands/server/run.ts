import { type OptionsOf, variablesOf } from "../../command/definition.ts";
import type { Needs } from "../../command/needs.ts";
import { packageDirectory } from "../../config/package-directory.ts";
import { command } from "./command.ts";
import { findInstallation } from "./installation.ts";
import { limitHeap } from "./limit-heap.ts";
import { loadServer } from "./load-server.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, environment, interruption }: Pick<Needs, "terminal" | "environment" | "interruption">,
): Promise<number> {
  const { runServer } = await loadServer();
  // Not before its modules are loaded: V8 takes the compiled form of Node.js's own only with its usual flags.
  limitHeap();
  return runServer({
    ...interruption,
    ...findInstallation(packageDirectory),
    flags: variablesOf(command, options),
    environment,
    demo: options.demo,
    stdout: (text) => terminal.out.write(text),
    stderr: (text) => terminal.err.write(text),
  });
}
