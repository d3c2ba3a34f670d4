import { type ApiKey, deleteKey, expireKey, getKey, getTokenByName } from "@slipway/api";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs } from "../../../command/needs.ts";
import type { command } from "./command.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const token = await findToken(client, options.token, signal);
  const params = { user: token.user_id, key: token.id };
  await client.call(options.delete ? deleteKey : expireKey, { params, signal });
  const { err } = terminal;
  const what = options.delete ? "deleted" : "ended";
  err.line(err.colors.green(`token ${token.token_name || token.id} is ${what}`));
  return exitCodes.ok;
}

async function findToken(
  client: ApiClient,
  reference: string,
  signal: AbortSignal,
): Promise<ApiKey> {
  try {
    const params = { user: "me", name: reference };
    return await client.call(getTokenByName, { params, signal });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
    return client.call(getKey, { params: { user: "me", key: reference }, signal });
  }
}
