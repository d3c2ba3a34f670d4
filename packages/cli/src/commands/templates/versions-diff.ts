import type { Template } from "@slipway/api/templates/template";
import { diffTemplateVersions, listTemplateVersions } from "@slipway/api/templates/version-routes";
import type { ApiClient } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-result.ts";
import {
  findTemplate,
  findVersion,
  templateArgument,
} from "../../resources/templates/template-reference.ts";
import { diffLine } from "../../terminal/colors.ts";

export const command = defineCommand({
  summary: "show what changed in slipway.yaml between two versions",
  description:
    "Show a unified diff of slipway.yaml. With one version, compare it with its predecessor; without any, compare " +
    "the newest version with its predecessor.",
  arguments: {
    template: templateArgument,
    from: { summary: "version to compare with", required: false, completion: "version" },
    to: { summary: "version to show", required: false, completion: "version" },
  },
  flags: { output: outputFlag },
  examples: [
    {
      line: "slipway templates versions diff small",
      summary: "the newest version and its predecessor",
    },
    { line: "slipway templates versions diff small v1 v3", summary: "two versions" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const template = await findTemplate(client, options.template, { settings, signal });
  const [before, after] =
    options.to === undefined ? [undefined, options.from] : [options.from, options.to];
  const find = (name: string) => findVersion(client, template, name, signal);
  const from = before === undefined ? {} : { from: (await find(before)).id };
  const version =
    after === undefined ? await newestVersion(client, template, signal) : (await find(after)).id;
  const found = await client.call(diffTemplateVersions, {
    params: { version },
    query: from,
    signal,
  });
  if (options.output === "json") printJson(terminal.out, found);
  else if (found.diff === "") {
    terminal.err.line(`slipway.yaml is the same in ${found.from.name} and ${found.to.name}`);
  } else {
    for (const line of found.diff.trimEnd().split("\n"))
      terminal.out.line(diffLine(line, terminal.out.colors));
  }
  return exitCodes.ok;
}

async function newestVersion(
  client: ApiClient,
  template: Template,
  signal: AbortSignal,
): Promise<string> {
  const params = { template: template.id };
  const versions = await client.call(listTemplateVersions, { params, signal });
  const newest = versions.findLast(({ job }) => job.status === "succeeded");
  if (newest !== undefined) return newest.id;
  throw new CommandError(`template ${template.name} has no successfully imported version`);
}
