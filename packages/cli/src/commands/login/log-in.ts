import { nameProblem } from "@slipway/api/contract/name";
import { getBuildInfo } from "@slipway/api/deployment/routes";
import { createFirstUser, getFirstUser, login } from "@slipway/api/users/routes";
import { type ApiClient, ApiError, ConnectError } from "@slipway/sdk/http";

import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { askFullName } from "../../resources/accounts/users.ts";

interface ServerState {
  readonly version: string;
  /** False on a new server, whose first user does not exist yet. */
  readonly hasUsers: boolean;
}

/** Checks a server before a password is sent to it. Throws `CommandError` if it is not a Slipway server. */
export async function probeServer(client: ApiClient, signal: AbortSignal): Promise<ServerState> {
  const version = await readServerVersion(client, signal);
  try {
    await client.call(getFirstUser, { signal });
    return { version, hasUsers: true };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { version, hasUsers: false };
    throw error;
  }
}

async function readServerVersion(client: ApiClient, signal: AbortSignal): Promise<string> {
  let answer: unknown;
  try {
    answer = await client.call(getBuildInfo, { signal });
  } catch (error) {
    if (error instanceof ConnectError || signal.aborted) throw error;
    throw notAServer(client, error);
  }
  const version =
    typeof answer === "object" && answer !== null && "version" in answer
      ? answer.version
      : undefined;
  if (typeof version !== "string") throw notAServer(client, undefined);
  return version;
}

function notAServer(client: ApiClient, cause: unknown): CommandError {
  return new CommandError(`${client.serverUrl} is not a Slipway server`, {
    hint: "check that the address is correct and points to the server itself",
    cause,
  });
}

interface Credentials {
  readonly email: string | undefined;
  readonly password: string | undefined;
  readonly username: string | undefined;
  readonly fullName: string | undefined;
}

type SessionNeeds = Pick<Needs, "terminal" | "signal">;

/** Logs in with the given values and answers to prompts; resolves with the session token. */
export async function logIn(
  client: ApiClient,
  given: Credentials,
  needs: SessionNeeds,
): Promise<string> {
  requireAnswers(given, ["email", "password"], needs);
  const email = given.email ?? (await needs.terminal.prompts.text({ message: "Email" }));
  const password = given.password ?? (await needs.terminal.prompts.password("Password"));
  try {
    const { session_token } = await client.call(login, {
      body: { email, password },
      signal: needs.signal,
    });
    return session_token;
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
    throw new CommandError(error.message, { exitCode: exitCodes.unauthorized });
  }
}

/** Creates the first user of a server, who becomes its owner, and logs in as that user. */
export async function createFirst(
  client: ApiClient,
  given: Credentials,
  needs: SessionNeeds,
): Promise<string> {
  const { prompts, err } = needs.terminal;
  err.line(`${client.serverUrl} has no users yet`);
  requireAnswers(given, ["username", "email", "password"], needs);
  if (
    given.username === undefined &&
    !(await prompts.confirm("Create the first user, who will own the server?", { initial: true }))
  ) {
    throw new CommandError("not logged in: no user was created", {
      exitCode: exitCodes.unauthorized,
    });
  }
  const username =
    given.username ?? (await prompts.text({ message: "Username", problem: nameProblem }));
  const email = given.email ?? (await prompts.text({ message: "Email" }));
  const isAsked = given.username === undefined || given.email === undefined;
  const name = given.fullName ?? (isAsked ? await askFullName(prompts) : "");
  const password = given.password ?? (await prompts.password("Password"));
  const { signal } = needs;
  await client.call(createFirstUser, {
    body: { username, email, password, ...(name === "" ? {} : { name }) },
    signal,
  });
  const { session_token } = await client.call(login, { body: { email, password }, signal });
  return session_token;
}

/** Requires all values to be given if prompting is not possible. */
function requireAnswers(
  given: Credentials,
  wanted: readonly (keyof Credentials)[],
  { terminal }: SessionNeeds,
): void {
  const missing = wanted.filter((name) => given[name] === undefined).map((name) => `--${name}`);
  if (terminal.interactive || missing.length === 0) return;
  throw new UsageError(
    `not a terminal: pass ${missing.join(" and ")}`,
    "or use a browser with --browser, or pass a token with --token or CODER_SESSION_TOKEN",
  );
}
