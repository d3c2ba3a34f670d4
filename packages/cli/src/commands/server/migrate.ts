import { defineCommand, type OptionsOf, variablesOf } from "../../command/definition.ts";
import type { Needs } from "../../command/needs.ts";
import { command as server } from "../server.ts";
import { loadServer } from "./load-server.ts";

const { postgresUrl } = server.flags;

export const command = defineCommand({
  summary: "migrate the database without starting a server",
  description:
    "Migrate the PostgreSQL of --postgres-url to this version, and exit. Servers do the same when they start; run it " +
    "before an upgrade to see that the migration succeeds while the older servers go on.",
  arguments: {},
  flags: { postgresUrl },
  examples: [
    {
      line: "slipway server migrate --postgres-url postgres://slipway@database.example.com/slipway",
      summary: "before the servers are replaced",
    },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, environment, signal }: Pick<Needs, "terminal" | "environment" | "signal">,
): Promise<number> {
  const { runMigrateDatabase } = await loadServer();
  return runMigrateDatabase({
    flags: variablesOf(command, options),
    environment,
    stderr: (text) => terminal.err.write(text),
    signal,
  });
}
