import { resolve } from "node:path";

import type { Organization } from "@slipway/api/organizations/organization";
import { listUserOrganizations } from "@slipway/api/organizations/routes";
import { createTemplate, getTemplateByName } from "@slipway/api/templates/routes";
import type { Template } from "@slipway/api/templates/template";
import { updateActiveVersion } from "@slipway/api/templates/version-routes";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { ignoredYesFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { notFoundError } from "../../command/not-found.ts";
import { readTags } from "../../resources/builds/tags.ts";
import { checkTemplate } from "./push/check-template.ts";
import { importVersion } from "./push/import-version.ts";
import { listTemplateFiles, packFiles } from "./push/pack-files.ts";
import { locateTemplate, openSource, templateName } from "./push/template-source.ts";

export const command = defineCommand({
  summary: "push a new version of a template from a directory or file",
  description:
    "Pack a directory with a slipway.yaml, or a single file in its place, and push it as the newest version of a " +
    "template, which is created if it does not exist. The template is checked before it is uploaded. .git and " +
    "node_modules are excluded. Without --directory, slipway uses the directory with the template's name, or the " +
    "current one. A path in place of the name gives both: ./small-box is the template small-box.",
  aliases: ["create"],
  arguments: {
    template: {
      summary:
        "name of the template, or path to its directory or file (default: the directory's name)",
      required: false,
      completion: "files",
    },
  },
  flags: {
    yes: ignoredYesFlag,
    name: {
      kind: "text",
      value: "name",
      summary: "name of the version (default: a generated name)",
    },
    directory: {
      kind: "text",
      short: "d",
      value: "path",
      summary: "directory or file of the template (default: the current directory)",
      completion: "files",
    },
    message: {
      kind: "text",
      short: "m",
      value: "text",
      summary: "description of this version's changes",
    },
    variable: {
      kind: "list",
      value: "name=value",
      summary: "refused: templates have parameters instead",
      hidden: true,
    },
    variablesFile: {
      kind: "text",
      value: "path",
      summary: "refused: templates have parameters instead",
      hidden: true,
    },
    provisionerTag: {
      kind: "list",
      value: "name=value",
      summary:
        "tag of the provisioners that carry out this version's import and builds; repeatable (default: the server)",
    },
    activate: {
      kind: "boolean",
      defaultValue: true,
      summary: "make it the active version",
    },
  },
  examples: [
    { line: "slipway templates push", summary: "from the template's own directory" },
    { line: "slipway templates push small-box", summary: "from its parent, or that directory" },
    {
      line: 'slipway templates push small -d ./small-box --name v2 -m "more memory"',
      summary: "the template small, version v2",
    },
    { line: "slipway templates push small-box --activate=false", summary: "without activating it" },
  ],
});

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
  // The source may not be the intended one: a name may be that of a directory.
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
      tags: readTags("--provisioner-tag", options.provisionerTag),
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

/** Returns the organization for templates: the named one, or the user's default one, otherwise the first. */
async function chooseOrganization(
  client: ApiClient,
  name: string,
  signal: AbortSignal,
): Promise<Organization> {
  const organizations = await client.call(listUserOrganizations, {
    params: { user: "me" },
    signal,
  });
  if (name !== "default") {
    const named = organizations.find((one) => one.name === name || one.id === name);
    if (named === undefined) throw notFoundError(`organization ${name}`);
    return named;
  }
  const found = organizations.find(({ is_default }) => is_default) ?? organizations[0];
  if (found === undefined)
    throw new CommandError("you are not a member of any organization to push the template to");
  return found;
}
