import { readFile } from "node:fs/promises";

import {
  beginLoginTest,
  type LoginTest,
  takeLoginTest,
  testLoginProvider,
} from "@slipway/api/logins/routes";
import { getAuthMethods } from "@slipway/api/users/routes";
import { errorText, parseObject } from "@slipway/runtime";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { openPage } from "../../command/open-page.ts";
import { readPatiently } from "../../command/patient-read.ts";
import { printJson } from "../../command/print-result.ts";

export const command = defineCommand({
  summary: "test the rules of a login provider",
  description:
    "Print the claims of a login and the outcome of the provider's rules: whether the person may log in, and with which " +
    "roles. The claims are those of a user's last login, by default yours, of a new login with --login, or are read from a " +
    "file. The new login creates neither an account nor a session. Requires the role owner.",
  arguments: {},
  flags: {
    provider: {
      kind: "text",
      value: "id",
      summary: "login provider (default: the only one)",
    },
    user: {
      kind: "text",
      value: "name",
      summary: "user whose last login is tested (default: you)",
    },
    claims: {
      kind: "text",
      value: "file",
      summary: "JSON file of claims to test instead; - reads standard input",
    },
    login: {
      kind: "switch",
      summary: "log in with a browser instead, as anyone, and test these claims",
    },
    noOpen: { kind: "switch", summary: "with --login: only print the page" },
    output: outputFlag,
  },
  examples: [
    { line: "slipway oidc test --login", summary: "try the provider before others use it" },
    { line: "slipway oidc test --user ada", summary: "find out why ada lacks a role" },
    { line: "slipway oidc test --provider acme --claims claims.json", summary: "test claims" },
  ],
});

type TestNeeds = Pick<Needs, "terminal" | "settings" | "clock" | "opener" | "signal">;

export async function run(options: OptionsOf<typeof command>, needs: TestNeeds): Promise<number> {
  const { terminal, settings, signal } = needs;
  if (options.login && (options.user !== undefined || options.claims !== undefined)) {
    throw new UsageError("pass only one of --login, --user and --claims");
  }
  const client = connect(settings);
  const provider = options.provider ?? (await onlyProvider(client, signal));
  const tested = options.login
    ? await testByLogin(client, { provider, open: !options.noOpen }, needs)
    : await testClaims(client, provider, options, needs);
  if (options.output === "json") printJson(terminal.out, tested);
  else printTest(tested, terminal);
  return tested.outcome === "allowed" ? exitCodes.ok : exitCodes.failure;
}

async function testClaims(
  client: ApiClient,
  provider: string,
  options: Pick<OptionsOf<typeof command>, "claims" | "user">,
  { terminal, signal }: TestNeeds,
): Promise<LoginTest> {
  const claims =
    options.claims === undefined ? undefined : await readClaims(options.claims, terminal);
  return client.call(testLoginProvider, {
    params: { provider },
    body: {
      ...(claims === undefined ? {} : { claims }),
      ...(options.user === undefined ? {} : { user: options.user }),
    },
    signal,
  });
}

/** Waits until somebody has logged in at the provider with a browser, and resolves to the result. */
async function testByLogin(
  client: ApiClient,
  { provider, open }: { readonly provider: string; readonly open: boolean },
  needs: TestNeeds,
): Promise<LoginTest> {
  const { terminal, clock, signal } = needs;
  const params = { provider };
  const begun = await client.call(beginLoginTest, { params, signal });
  const { pathname, search } = new URL(begun.login_url, client.serverUrl);
  const page = `${client.serverUrl}${pathname}${search}`;
  terminal.err.line("log in on this page, which works once:");
  terminal.err.line(page);
  if (open) await openPage(page, needs);
  const endMs = clock.now() + begun.expires_in * 1000;
  while (clock.now() < endMs) {
    await clock.sleep(begun.interval * 1000, signal);
    const tested = await readPatiently(() => takeResult(client, provider, begun.id, signal), needs);
    if (tested !== undefined) return tested;
  }
  throw expired();
}

/** Takes the result; resolves to undefined until the login is complete. */
async function takeResult(
  client: ApiClient,
  provider: string,
  id: string,
  signal: AbortSignal,
): Promise<LoginTest | undefined> {
  try {
    return await client.call(takeLoginTest, { params: { provider }, body: { id }, signal });
  } catch (error) {
    const detail = error instanceof ApiError ? error.body.detail : undefined;
    if (detail === "authorization_pending") return undefined;
    throw detail === "expired_token" ? expired() : error;
  }
}

function expired(): CommandError {
  return new CommandError("the test has expired, or another one has replaced it", {
    hint: "run the command again",
  });
}

async function onlyProvider(client: ApiClient, signal: AbortSignal): Promise<string> {
  const { providers = [] } = await client.call(getAuthMethods, { signal });
  const [first, ...others] = providers;
  if (first !== undefined && others.length === 0) return first.id;
  const ids = providers.map(({ id }) => id).join(", ");
  throw new UsageError(
    first === undefined
      ? "the server has no login providers"
      : `the server has several login providers: pass --provider with one of ${ids}`,
  );
}

async function readClaims(
  file: string,
  { readInput }: Pick<Needs["terminal"], "readInput">,
): Promise<Record<string, unknown>> {
  const text = await (file === "-" ? readInput() : readFile(file, "utf8")).catch(
    (error: unknown) => {
      throw new CommandError(`cannot read ${file}: ${errorText(error)}`, { cause: error });
    },
  );
  const claims = parseObject(text);
  if (claims === undefined) throw new UsageError(`${file} must be a JSON object of claims`);
  return { ...claims };
}

function printTest(tested: LoginTest, { out }: Needs["terminal"]): void {
  const { outcome, message, roles, groups, email, email_verified: isVerified } = tested;
  out.line(JSON.stringify(tested.claims, null, 2));
  out.line("");
  out.line(`Outcome   ${outcome === "allowed" ? "allowed" : `refused: ${message}`}`);
  out.line(`Subject   ${tested.subject}`);
  out.line(`Username  ${tested.username}`);
  out.line(
    `Email     ${email === "" ? "none" : `${email} (${isVerified ? "verified" : "not verified"})`}`,
  );
  out.line(`Groups    ${groups.length === 0 ? "none" : groups.join(", ")}`);
  const given = roles === null ? "as assigned on the server" : roles.join(", ") || "member";
  out.line(`Roles     ${outcome === "allowed" ? given : "none"}`);
}
