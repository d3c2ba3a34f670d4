import { defineCommand } from "../../../command/definition.ts";
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
