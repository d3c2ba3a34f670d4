import { defineCommand } from "../../../command/definition.ts";
import { command as server } from "../command.ts";

const { dataDir, postgresUrl, secretKey } = server.flags;

export const command = defineCommand({
  name: "server rotate-key",
  summary: "encrypt the secrets in the database with a new key",
  description:
    "Encrypts every secret in the database anew: with the first key of --secret-key where it is given, else with a new " +
    "key in the data directory, whose server must be stopped. Interrupted, it goes on where it was when run again.",
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
