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
  { environment, interruption, settings }: Pick<Needs, "environment" | "interruption" | "settings">,
): Promise<number> {
  const { cert, key, ca } = settings.certificateFiles;
  const { runAgent }: AgentModule = await import("@slipway/agent");
  const flags = {
    ...variablesOf(command, options),
    CODER_CLIENT_TLS_CERT_FILE: cert?.path,
    CODER_CLIENT_TLS_KEY_FILE: key?.path,
    CODER_CLIENT_TLS_CA_FILE: ca?.path,
  };
  return runAgent({ ...interruption, flags, environment });
}
