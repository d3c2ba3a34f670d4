import { resolve } from "node:path";

import {
  createTemplate,
  getTemplateByName,
  type Template,
  updateActiveVersion,
} from "@slipway/api";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import { UsageError } from "../../../command/errors.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs } from "../../../command/needs.ts";
import { checkTemplate } from "./check-template.ts";
import { chooseOrganization } from "./choose-organization.ts";
import type { command } from "./command.ts";
import { importVersion } from "./import-version.ts";
import { packFiles } from "./pack-files.ts";
import { listTemplateFiles } from "./template-files.ts";
import { locateTemplate, openSource, templateName } from "./template-source.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  if (options.variable.length > 0 || options.variablesFile !== undefined) {
    throw new UsageError(
      "a template of Slipway has no variables, so --variable and --variables-file are refused",
      "give its parameters defaults, or preset values: see docs/templates.md",
    );
  }
  const named = await locateTemplate(options);
  const source = await openSource(named.path);
  const name = templateName(source, named.template);
  // Which one is not always what was meant: a name may be that of a directory.
  terminal.err.line(`pushing ${resolve(source.path)} as template ${name}`);
  const { files, leftOut } = await listTemplateFiles(source);
  for (const file of leftOut)
    terminal.err.line(`warning: ${file} is not a regular file and was skipped`);
  const tar = await packFiles(files);
  await checkTemplate(tar, source.templatePath, terminal.err);

  const client = connect(settings);
  const organization = await chooseOrganization(client, settings.organization, signal);
  const existing = await findTemplate(client, organization.id, name, signal);
  const version = await importVersion(
    {
      tar,
      organizationId: organization.id,
      templateId: existing?.id,
      name: options.name,
      message: options.message,
      templatePath: source.templatePath,
    },
    { client, terminal, clock, signal },
  );

  const say = (text: string): void => terminal.err.line(terminal.err.colors.green(text));
  if (existing === undefined) {
    const body = { name, template_version_id: version.id };
    await client.call(createTemplate, { params: { organization: organization.id }, body, signal });
    say(`created template ${name}, version ${version.name}`);
    terminal.err.line(`create a workspace from it with: slipway create --template ${name}`);
  } else if (options.activate) {
    await client.call(updateActiveVersion, {
      params: { template: existing.id },
      body: { id: version.id },
      signal,
    });
    say(`${name} is now at version ${version.name}`);
  } else {
    say(`pushed version ${version.name} of ${name}, which is not active`);
  }
  return exitCodes.ok;
}

async function findTemplate(
  client: ApiClient,
  organization: string,
  name: string,
  signal: AbortSignal,
): Promise<Template | undefined> {
  try {
    return await client.call(getTemplateByName, { params: { organization, name }, signal });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
