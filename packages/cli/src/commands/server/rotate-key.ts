import { defineCommand, type OptionsOf, variablesOf } from "../../command/definition.ts";
import type { Needs } from "../../command/needs.ts";
import { command as server } from "../server.ts";
import { loadServer } from "./load-server.ts";

const { dataDir, postgresUrl, secretKey } = server.flags;

export const command = defineCommand({
  summary: "re-encrypt the secrets in the database with a new key",
  description:
    "Re-encrypt every secret in the database: with the first key of --secret-key if it is given, otherwise with a " +
    "new key in the data directory, whose server must be stopped. If interrupted, run it again to continue.",
  arguments: {},
  flags: {
    dataDir,
    postgresUrl,
    secretKey,
    discardUnreadable: {
      kind: "switch",
      summary:
        "discard the secrets whose key is lost: users get new SSH keys and log in to external providers again, and " +
        "workspaces get new tokens when they restart",
    },
  },
  examples: [
    { line: "slipway server rotate-key", summary: "a new key in the data directory" },
    {
      line: "slipway server rotate-key --secret-key new,old",
      summary: "to the first of the keys that servers are configured with",
    },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, environment, signal }: Pick<Needs, "terminal" | "environment" | "signal">,
): Promise<number> {
  const { runRotateKey } = await loadServer();
  return runRotateKey({
    flags: variablesOf(command, options),
    discardsUnreadable: options.discardUnreadable,
    environment,
    stderr: (text) => terminal.err.write(text),
    signal,
  });
}
