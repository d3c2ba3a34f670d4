import { getExternalAuth } from "@slipway/api/external-auth/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { externalAuthUrl } from "../../resources/external-auth/external-auth-url.ts";
import { providerArgument } from "../../resources/external-auth/provider-argument.ts";
import { waitForBrowser, waitForDevice } from "../../resources/external-auth/wait-for-log-in.ts";

export const command = defineCommand({
  summary: "log in to an external auth provider",
  description:
    "Log in to a provider, such as GitHub, so that your workspaces can act for you there. The command opens a browser, " +
    "or prints the page or the code to enter, and waits until you have logged in.",
  arguments: { provider: providerArgument },
  flags: { noOpen: { kind: "switch", summary: "open no browser" } },
  examples: [
    { line: "slipway external-auth login github", summary: "in the browser" },
    { line: "slipway external-auth login github --no-open", summary: "only print the page" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  {
    terminal,
    settings,
    clock,
    opener,
    signal,
  }: Pick<Needs, "terminal" | "settings" | "clock" | "opener" | "signal">,
): Promise<number> {
  const { provider } = options;
  const client = connect(settings);
  const needs = { client, terminal, clock, opener, signal };
  const params = { provider };
  const state = await client.call(getExternalAuth, { params, signal });
  const { err } = terminal;
  if (state.authenticated) {
    err.line(`you are already logged in to ${state.display_name}`);
    return exitCodes.ok;
  }
  const open = !options.noOpen;
  const url = externalAuthUrl(client, provider);
  await (state.device
    ? waitForDevice({ provider, open }, needs)
    : waitForBrowser({ provider, url, open }, needs));
  err.line(err.colors.green(`logged in to ${state.display_name}`));
  return exitCodes.ok;
}
