import type { TemplateVersionExternalAuth } from "@slipway/api/external-auth/external-auth";
import { listTemplateVersionExternalAuth } from "@slipway/api/templates/version-routes";
import { shellWord } from "@slipway/runtime";

import { CommandError } from "../../command/errors.ts";
import { type LogInNeeds, openPage, untilLoggedIn } from "./wait-for-log-in.ts";

/**
 * Has the user log in to the providers that a template version needs: waits on a terminal, else throws `CommandError`. Tells
 * of optional ones.
 */
export async function requireLogIns(version: string, needs: LogInNeeds): Promise<void> {
  const { terminal } = needs;
  const missing = await missingLogIns(version, needs);
  for (const one of missing.filter(({ optional }) => optional === true)) {
    terminal.err.line(`not logged in to ${one.display_name}, which is optional: ${loginLine(one)}`);
  }
  const required = missing.filter(({ optional }) => optional !== true);
  const [first] = required;
  if (first === undefined) return;
  if (!terminal.interactive) {
    throw new CommandError(
      `the template needs a login to ${required.map((one) => one.display_name).join(" and ")}`,
      { hint: `log in with: ${loginLine(first)}, or at ${first.authenticate_url}` },
    );
  }
  for (const one of required) await waitForLogIn(version, one, needs);
}

function loginLine({ id }: TemplateVersionExternalAuth): string {
  return `slipway external-auth login ${shellWord(id)}`;
}

async function missingLogIns(
  version: string,
  { client, signal }: Pick<LogInNeeds, "client" | "signal">,
): Promise<readonly TemplateVersionExternalAuth[]> {
  const params = { version };
  const listed = await client.call(listTemplateVersionExternalAuth, { params, signal });
  return listed.filter(({ authenticated }) => !authenticated);
}

async function waitForLogIn(
  version: string,
  { id, display_name, authenticate_url }: TemplateVersionExternalAuth,
  needs: LogInNeeds,
): Promise<void> {
  const { terminal } = needs;
  terminal.err.line(`the template needs a login to ${display_name}: ${authenticate_url}`);
  await openPage(authenticate_url, needs);
  await untilLoggedIn(
    async () => !(await missingLogIns(version, needs)).some((one) => one.id === id),
    needs,
  );
  terminal.err.line(terminal.err.colors.green(`logged in to ${display_name}`));
}
