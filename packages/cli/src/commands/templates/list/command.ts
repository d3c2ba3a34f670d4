import { defineCommand } from "../../../command/definition.ts";
import { columnFlag, outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  summary: "list templates",
  aliases: ["ls"],
  arguments: {},
  flags: {
    column: columnFlag(
      [
        "name",
        "display name",
        "used by",
        "last updated",
        "description",
        "created at",
        "default ttl",
        "active version id",
        "organization name",
        "organization id",
        "provisioner",
      ],
      ["name", "display name", "used by", "last updated", "description"],
    ),
    output: outputFlag,
  },
  examples: [{ line: "slipway templates list", summary: "names, descriptions and usage" }],
});
