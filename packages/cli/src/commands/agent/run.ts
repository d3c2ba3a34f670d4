import { type OptionsOf, variablesOf } from "../../command/definition.ts";
import type { Interruption } from "../../command/interruption.ts";
import type { Needs } from "../../command/needs.ts";
import { command } from "./command.ts";

/** The part of the agent's package that is used here; flags have the names of its variables. */
interface AgentModule {
  readonly runAgent: (
    options: Interruption & {
      readonly flags: Readonly<Record<string, string | undefined>>;
      readonly environment: NodeJS.ProcessEnv;
    },
  ) => Promise<number>;
}

export async function run(
  options: OptionsOf<typeof command>,
  { environment, interruption }: Pick<Needs, "environment" | "interruption">,
): Promise<number> {
  const { runAgent }: AgentModule = await import("@slipway/agent");
  return runAgent({ ...interruption, flags: variablesOf(command, options), environment });
}
