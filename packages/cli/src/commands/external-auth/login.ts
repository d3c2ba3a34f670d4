import { getExternalAuth } from "@slipway/api/external-auth/routes";
import type { ApiClient } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import {
  providerArgument,
  waitForBrowser,
  waitForDevice,
} from "../../resources/accounts/external-auth.ts";

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

/** Returns the page of the server at which a user logs in to a provider. */
function externalAuthUrl({ serverUrl }: Pick<ApiClient, "serverUrl">, id: string): string {
  return `${serverUrl}/external-auth/${encodeURIComponent(id)}`;
}
