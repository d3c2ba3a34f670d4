import { defineCommand, type OptionsOf, variablesOf } from "../../../command/definition.ts";
import type { Needs } from "../../../command/needs.ts";
import { command as server } from "../command.ts";

const { dataDir, postgresUrl, secretKey } = server.flags;

export const command = defineCommand({
  summary: "re-encrypt the secrets in the database with a new key",
  description:
    "Re-encrypt every secret in the database: with the first key of --secret-key if it is given, otherwise with a " +
    "new key in the data directory, whose server must be stopped. If interrupted, run it again to continue.",
  arguments: {},
  flags: { dataDir, postgresUrl, secretKey },
  examples: [
    { line: "slipway server rotate-key", summary: "a new key in the data directory" },
    {
      line: "slipway server rotate-key --secret-key new,old",
      summary: "to the first of the keys that servers are configured with",
    },
  ],
});

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
