import { nameProblem, updateTemplate } from "@slipway/api";

import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import { readDuration } from "../../../command/duration.ts";
import { UsageError } from "../../../command/errors.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs } from "../../../command/needs.ts";
import { printJson } from "../../../command/print-json.ts";
import { findTemplate } from "../../../resources/templates/find-template.ts";
import type { command } from "./command.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const body = changes(options);
  if (Object.keys(body).length === 0) {
    throw new UsageError("nothing to change: pass at least one flag");
  }
  const client = connect(settings);
  const { id } = await findTemplate(client, options.template, signal);
  const template = await client.call(updateTemplate, { params: { template: id }, body, signal });
  if (options.output === "json") printJson(terminal.out, template);
  else terminal.err.line(terminal.err.colors.green(`updated template ${template.name}`));
  return exitCodes.ok;
}

/** Returns the changes that the flags ask for; flags not given are left out. */
function changes(options: OptionsOf<typeof command>): Readonly<Record<string, unknown>> {
  const { name, defaultTtl, activityBump, requireActiveVersion } = options;
  const problem = name === undefined ? undefined : nameProblem(name);
  if (problem !== undefined) throw new UsageError(`the name of the template ${problem}`);
  const all = {
    name,
    display_name: options.displayName,
    description: options.description,
    icon: options.icon,
    deprecation_message: options.deprecated,
    default_ttl_ms:
      defaultTtl === undefined ? undefined : readDuration("--default-ttl", defaultTtl),
    activity_bump_ms:
      activityBump === undefined ? undefined : readDuration("--activity-bump", activityBump),
    require_active_version:
      requireActiveVersion === undefined ? undefined : readTruth(requireActiveVersion),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function readTruth(text: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new UsageError(`--require-active-version is "${text}", wanted true or false`);
}
