import { logout } from "@slipway/api/users/routes";
import { ApiError, ConnectError } from "@slipway/sdk/http";

import { openClient } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { ignoredYesFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";

export const command = defineCommand({
  summary: "log out and revoke this machine's session",
  arguments: {},
  flags: { yes: ignoredYesFlag },
  examples: [{ line: "slipway logout", summary: "revoke the session and delete its token" }],
});

/** Revokes only the stored session: a token from a flag or variable is managed elsewhere. */
export async function run(
  _options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const { url, token } = await settings.files.read();
  if (url === undefined || token === undefined) {
    terminal.err.line("you are not logged in");
    return exitCodes.ok;
  }
  await settings.files.forgetToken();
  try {
    const headers = await settings.prepareAccess(url);
    await openClient(url, token, headers).call(logout, { signal });
  } catch (error) {
    // A session that the server no longer knows has ended too.
    if (error instanceof ConnectError) {
      terminal.err.line(`warning: ${error.message}; the session there expires on its own`);
    } else if (!(error instanceof ApiError)) throw error;
  }
  terminal.err.line(`logged out of ${url}`);
  return exitCodes.ok;
}
