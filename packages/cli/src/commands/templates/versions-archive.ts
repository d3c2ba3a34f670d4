import { archiveTemplateVersion } from "@slipway/api/templates/version-routes";

import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import type { Needs } from "../../command/needs.ts";
import { archiveWords, changeVersion } from "../../resources/templates/archive-version.ts";

export const command = defineCommand({
  summary: "archive an unused version",
  ...archiveWords,
  examples: [
    { line: "slipway templates versions archive small v2", summary: "archive version v2 of small" },
  ],
});

export function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const { signal } = needs;
  return changeVersion(options, needs, "is archived", (client, version) =>
    client.call(archiveTemplateVersion, { params: { version }, signal }),
  );
}
