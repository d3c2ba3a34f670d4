import { listTemplates, type Template } from "@slipway/api";
import type { ApiClient } from "@slipway/sdk/http";

import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Terminal } from "../../terminal/terminal.ts";

export interface Asking {
  readonly client: ApiClient;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** The template of that name; without a name the only one, or the one that is chosen on the terminal. */
export async function chooseTemplate(name: string | undefined, asking: Asking): Promise<Template> {
  const { client, terminal, signal } = asking;
  const templates = await client.call(listTemplates, { signal });
  const names = templates.map((template) => template.name).join(", ");
  const [first] = templates;
  if (first === undefined) {
    throw new CommandError("there are no templates", {
      hint: "make one with: slipway templates init, then slipway templates push",
    });
  }
  if (name === undefined && templates.length === 1) return first;
  if (name === undefined && !terminal.interactive) {
    throw new UsageError(
      `there are several templates and --template is not given, wanted one of ${names}`,
    );
  }
  const wanted = name ?? (await ask(templates, terminal));
  const found = templates.find((template) => template.name.toLowerCase() === wanted.toLowerCase());
  if (found !== undefined) return found;
  throw new CommandError(`there is no template ${wanted}, wanted one of ${names}`, {
    exitCode: exitCodes.notFound,
  });
}

async function ask(templates: readonly Template[], { prompts }: Terminal): Promise<string> {
  const choices = templates.map(({ name, display_name, description }) => ({
    value: name,
    label: display_name || name,
    hint: description,
  }));
  return prompts.select("Template", choices);
}
