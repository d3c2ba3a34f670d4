import { type OptionsOf, variablesOf } from "../../../command/definition.ts";
import type { Needs } from "../../../command/needs.ts";
import { command } from "./command.ts";

/** The part of the server's package that is used here; flags have the names of its variables. */
interface ServerModule {
  readonly runRotateKey: (options: {
    readonly flags: Readonly<Record<string, string | undefined>>;
    readonly environment: NodeJS.ProcessEnv;
    readonly stderr: (text: string) => void;
    readonly signal: AbortSignal;
  }) => Promise<number>;
}

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, environment, signal }: Pick<Needs, "terminal" | "environment" | "signal">,
): Promise<number> {
  const { runRotateKey }: ServerModule = await import("@slipway/server");
  return runRotateKey({
    flags: variablesOf(command, options),
    environment,
    stderr: (text) => terminal.err.write(text),
    signal,
  });
}
