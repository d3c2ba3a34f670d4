import type { Template } from "@slipway/api/templates/template";

import { CommandError, UsageError } from "../../command/errors.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import { notFoundError } from "../../command/not-found.ts";
import { findVersion, listTemplates } from "../../resources/templates/template-reference.ts";
import type { Terminal } from "../../terminal/terminal.ts";

type PromptNeeds = Pick<ClientNeeds, "client" | "terminal" | "signal">;

/** Finds a template by name; without a name, the only one, or the one chosen at a prompt. */
export async function chooseTemplate(
  name: string | undefined,
  organization: string,
  needs: PromptNeeds,
): Promise<Template> {
  const { client, terminal, signal } = needs;
  const all = await listTemplates(client, organization, signal);
  const found = name === undefined ? undefined : templateOf(all, name);
  if (found !== undefined) return usable(found);
  const templates = all.filter(({ deprecated }) => !deprecated);
  const names = templates.map((template) => template.name).join(", ");
  const [first] = templates;
  if (first === undefined) {
    throw new CommandError(
      all.length === 0 ? "there are no templates" : "all templates are deprecated",
      {
        hint: "create one with: slipway templates init, then slipway templates push",
      },
    );
  }
  if (name !== undefined) {
    throw notFoundError(`template ${name}`, `wanted one of ${names}`);
  }
  if (templates.length === 1) return first;
  if (!terminal.interactive) {
    throw new UsageError(`there are several templates: pass --template with one of ${names}`);
  }
  return ask(templates, terminal);
}

function templateOf(templates: readonly Template[], name: string): Template | undefined {
  return templates.find((template) => template.name.toLowerCase() === name.toLowerCase());
}

/** Throws `CommandError` for a deprecated template, before any further prompt. */
function usable(template: Template): Template {
  if (!template.deprecated) return template;
  throw new CommandError(
    `template ${template.name} has been deprecated: ${template.deprecation_message}`,
    { hint: "list the others with: slipway templates list" },
  );
}

async function ask(templates: readonly Template[], { prompts }: Terminal): Promise<Template> {
  const organizations = new Set(templates.map(({ organization_id }) => organization_id));
  const choices = templates.map((template) => ({
    value: template.id,
    label: labelOf(template, organizations.size > 1),
    hint: template.description.split("\n")[0],
  }));
  const id = await prompts.select("Template", choices);
  const found = templates.find((template) => template.id === id);
  if (found === undefined) throw new TypeError(`there is no choice ${id}`);
  return found;
}

/** Returns a unique label for a template: its name is only unique within its organization. */
function labelOf(
  { name, display_name, organization_name }: Template,
  hasOrganizations: boolean,
): string {
  const title = display_name === "" || display_name === name ? name : `${display_name} (${name})`;
  return hasOrganizations ? `${title}, ${organization_name}` : title;
}

/** Finds the id of the template's version by name; without a name, that of the active one. */
export async function chooseVersion(
  template: Pick<Template, "id" | "name" | "active_version_id">,
  name: string | undefined,
  { client, signal }: Pick<ClientNeeds, "client" | "signal">,
): Promise<string> {
  if (name === undefined) return template.active_version_id;
  return (await findVersion(client, template, name, signal)).id;
}
