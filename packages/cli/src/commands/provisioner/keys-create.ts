import { createProvisionerKey } from "@slipway/api/organizations/provisioner-routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-result.ts";
import { readTags } from "../../resources/builds/tags.ts";

export const command = defineCommand({
  summary: "create a key for provisioners, shown only once",
  arguments: { name: { summary: "name of the key", required: true } },
  flags: {
    tag: {
      kind: "list",
      short: "t",
      value: "name=value",
      summary: "tag of the jobs that its provisioners take; repeatable",
    },
    output: outputFlag,
  },
  examples: [
    {
      line: "slipway provisioner keys create europe --tag region=eu",
      summary: "for templates pushed with --provisioner-tag region=eu",
    },
  ],
});

export async function run(
  { name, tag, output }: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const tags = readTags("--tag", tag);
  const answer = await connect(settings).call(createProvisionerKey, {
    params: { organization: settings.organization },
    body: { name, tags },
    signal,
  });
  if (tag.length === 0) {
    terminal.err.line("note: a key without tags gets no jobs; create one with --tag name=value");
  }
  if (output === "json") printJson(terminal.out, answer);
  else terminal.out.line(answer.key);
  return exitCodes.ok;
}
