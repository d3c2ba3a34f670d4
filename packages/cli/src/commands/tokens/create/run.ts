import { createToken, getTokenConfig, tokenScopes } from "@slipway/api";

import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import { UsageError } from "../../../command/errors.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs } from "../../../command/needs.ts";
import { printJson } from "../../../command/print-json.ts";
import { parseLifetime } from "../lifetime.ts";
import type { command } from "./command.ts";

const nanosecondsPerSecond = 1e9;
const usualLifetimeSeconds = 7 * 24 * 3600;

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const scopes = options.scope.map(readScope);
  const given = options.lifetime === undefined ? undefined : readLifetime(options.lifetime);
  const client = connect(settings);
  const params = { user: options.user ?? "me" };
  const { max_token_lifetime: longest } = await client.call(getTokenConfig, { params, signal });
  const answer = await client.call(createToken, {
    params,
    body: {
      lifetime: given ?? Math.min(usualLifetimeSeconds * nanosecondsPerSecond, longest),
      ...(options.name === undefined ? {} : { token_name: options.name }),
      ...(scopes.length === 0 ? {} : { scopes }),
      ...(options.allow.length === 0 ? {} : { allow_list: [...options.allow] }),
    },
    signal,
  });
  if (options.output === "json") printJson(terminal.out, answer);
  else terminal.out.line(answer.key);
  return exitCodes.ok;
}

function readLifetime(text: string): number {
  const seconds = parseLifetime(text);
  if (seconds !== undefined && seconds > 0) return seconds * nanosecondsPerSecond;
  throw new UsageError(`"${text}" is no lifetime`, "give one such as 8h, 30d or 1d12h30m");
}

function readScope(text: string): (typeof tokenScopes)[number] {
  const scope = tokenScopes.find((candidate) => candidate === text);
  if (scope !== undefined) return scope;
  throw new UsageError(`there is no scope "${text}"`, `there are ${tokenScopes.join(", ")}`);
}
