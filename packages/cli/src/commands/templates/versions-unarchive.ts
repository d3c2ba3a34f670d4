import { unarchiveTemplateVersion } from "@slipway/api/templates/version-routes";

import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import type { Needs } from "../../command/needs.ts";
import { archiveWords, changeVersion } from "../../resources/templates/archive-version.ts";

export const command = defineCommand({
  summary: "unarchive a version",
  ...archiveWords,
  examples: [
    {
      line: "slipway templates versions unarchive small v2",
      summary: "unarchive version v2 of small",
    },
  ],
});

export function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const { signal } = needs;
  return changeVersion(options, needs, "is no longer archived", (client, version) =>
    client.call(unarchiveTemplateVersion, { params: { version }, signal }),
  );
}
