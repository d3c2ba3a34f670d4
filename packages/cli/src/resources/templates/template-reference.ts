import {
  getTemplateByName,
  listTemplates as listTemplatesRoute,
} from "@slipway/api/templates/routes";
import type { Template } from "@slipway/api/templates/template";
import type { TemplateVersion } from "@slipway/api/templates/template-version";
import { getTemplateVersionByName } from "@slipway/api/templates/version-routes";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import type { Argument } from "../../command/definition.ts";
import type { Needs } from "../../command/needs.ts";
import { notFoundError, requireName } from "../../command/not-found.ts";
import { withinOrganization } from "../accounts/organizations.ts";

export const templateArgument = {
  summary: "name of the template",
  required: true,
  completion: "template",
} as const satisfies Argument;

export const versionArgument = {
  summary: "name of the version",
  required: true,
  completion: "version",
} as const satisfies Argument;

/** Finds a template by name. Throws `CommandError` if there is none, and for one of another name. */
export async function findTemplate(
  client: ApiClient,
  name: string,
  { settings, signal }: Pick<Needs, "settings" | "signal">,
): Promise<Template> {
  const params = { organization: settings.organization, name };
  const template = await orNotFound(
    client.call(getTemplateByName, { params, signal }),
    `template ${name}`,
    "list templates with: slipway templates list",
  );
  requireName("template", template.name, name);
  return template;
}

/** Finds a version by name. Throws `CommandError` if the template has none, and for one of another name. */
export async function findVersion(
  client: ApiClient,
  template: Pick<Template, "id" | "name">,
  name: string,
  signal: AbortSignal,
): Promise<TemplateVersion> {
  const params = { template: template.id, name };
  const version = await orNotFound(
    client.call(getTemplateVersionByName, { params, signal }),
    `version ${name} of template ${template.name}`,
    `list its versions with: slipway templates versions list ${template.name}`,
  );
  requireName("version", version.name, name);
  return version;
}

async function orNotFound<T>(found: Promise<T>, thing: string, hint: string): Promise<T> {
  try {
    return await found;
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
    throw notFoundError(thing, hint);
  }
}

/** Lists the templates of an organization, by its name or id; those of every organization unless one is named. */
export async function listTemplates(
  client: ApiClient,
  organization: string,
  signal: AbortSignal,
): Promise<readonly Template[]> {
  const templates = await client.call(listTemplatesRoute, { signal });
  return withinOrganization(templates, organization, { client, signal });
}
