import { tokenScopes } from "@slipway/api/contract/scopes";
import { createToken, getTokenConfig } from "@slipway/api/users/key-routes";
import { durationText } from "@slipway/runtime";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { durationError, readDuration } from "../../command/duration.ts";
import { UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-result.ts";

export const command = defineCommand({
  summary: "create an API token, shown only once",
  arguments: {},
  flags: {
    name: {
      kind: "text",
      short: "n",
      value: "name",
      summary: "name of the token (default: a generated name)",
    },
    lifetime: {
      kind: "text",
      value: "duration",
      summary: "lifetime, such as 8h, 30d or 1y (default: 7d)",
    },
    scope: {
      kind: "list",
      value: "scope",
      summary: "scope, such as workspace:read; repeatable (default: everything)",
    },
    allow: {
      kind: "list",
      value: "type:id",
      summary: "resource to allow, such as workspace:<uuid>; repeatable (default: everything)",
    },
    user: {
      kind: "text",
      short: "u",
      value: "user",
      completion: "user",
      summary: "create it for another user (owners only)",
    },
    output: outputFlag,
  },
  examples: [
    {
      line: "slipway tokens create --name ci --lifetime 30d",
      summary: "print a token that is valid for 30 days",
    },
  ],
});

const nsPerMs = 1e6;
const defaultLifetimeMs = 7 * 24 * 3_600_000;

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const scopes = options.scope.map(readScope);
  const given = options.lifetime === undefined ? undefined : readLifetime(options.lifetime);
  const client = connect(settings);
  const params = { user: options.user ?? "me" };
  const config = await client.call(getTokenConfig, { params, signal });
  const maxMs = config.max_token_lifetime / nsPerMs;
  if (given !== undefined && given > maxMs) throw tooLong(given, maxMs, options);
  const answer = await client.call(createToken, {
    params,
    body: {
      lifetime: (given ?? Math.min(defaultLifetimeMs, maxMs)) * nsPerMs,
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
  const ms = readDuration("--lifetime", text);
  if (ms > 0) return ms;
  throw durationError("--lifetime", text, "is no time at all", "long");
}

/** Returns the error that states the maximum lifetime: the server has one for owners and one for everyone else. */
function tooLong(
  ms: number,
  maxMs: number,
  { user, lifetime }: Pick<OptionsOf<typeof command>, "user" | "lifetime">,
): UsageError {
  const whose = user === undefined ? "your tokens" : `tokens of ${user}`;
  return new UsageError(
    `--lifetime ${lifetime ?? durationText(ms)} is too long: this server limits ${whose} to ${durationText(maxMs)}`,
    `pass --lifetime ${durationText(maxMs)}`,
  );
}

function readScope(text: string): (typeof tokenScopes)[number] {
  const scope = tokenScopes.find((candidate) => candidate === text);
  if (scope !== undefined) return scope;
  throw new UsageError(`unknown scope "${text}"`, `wanted one of ${tokenScopes.join(", ")}`);
}
