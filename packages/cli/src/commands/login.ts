import { getAuthMethods, getUser } from "@slipway/api/users/routes";
import type { User } from "@slipway/api/users/user";
import { type ApiClient, ApiError } from "@slipway/sdk/http";
import { readServerUrl, type SessionFiles, type StoredSession } from "@slipway/sdk/session";

import { openClient } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { CommandError, UsageError } from "../command/errors.ts";
import { exitCodes } from "../command/exit-codes.ts";
import type { Needs } from "../command/needs.ts";
import { logInByBrowser } from "./login/browser-log-in.ts";
import { createFirst, logIn, probeServer } from "./login/log-in.ts";

export const command = defineCommand({
  summary: "log in to a server",
  description:
    "Log in and store the session for later commands. On a terminal, slipway prompts for missing values; with " +
    "--token or CODER_SESSION_TOKEN, it stores that token. With --browser, you log in on a page of the server, on this " +
    "or another machine, and approve the code that slipway prints. On a server without users, it creates the first user.",
  arguments: { url: { summary: "address of the server", required: false } },
  flags: {
    email: {
      kind: "text",
      value: "email",
      summary: "email address to log in with",
      aliases: ["first-user-email"],
    },
    password: {
      kind: "text",
      value: "password",
      summary: "password (default: a prompt)",
      aliases: ["first-user-password"],
    },
    username: {
      kind: "text",
      value: "name",
      summary: "username of the first user, on a server without users",
      aliases: ["first-user-username"],
    },
    fullName: {
      kind: "text",
      value: "text",
      summary: "full name of the first user",
      aliases: ["first-user-full-name"],
    },
    browser: { kind: "switch", summary: "log in with a browser and approve a code" },
    provider: {
      kind: "text",
      value: "id",
      summary: "log in with a browser at this login provider",
    },
    noOpen: { kind: "switch", summary: "with --browser or --provider: only print the page" },
    useTokenAsSession: {
      kind: "switch",
      summary: "no effect: a given token always becomes the session",
      hidden: true,
    },
    firstUserTrial: { kind: "switch", summary: "no effect", hidden: true },
  },
  examples: [
    { line: "slipway login https://slipway.example.com", summary: "prompt for email and password" },
    {
      line: "slipway login localhost:3000 --email ada@example.com --password …",
      summary: "without a terminal",
    },
    {
      line: "slipway login https://slipway.example.com --provider acme",
      summary: "in the browser, at a login provider",
    },
    {
      line: "slipway login https://slipway.example.com --browser --no-open",
      summary: "on a machine without a browser",
    },
    { line: "slipway login https://slipway.example.com --token …", summary: "with a token" },
  ],
});

type LoginOptions = OptionsOf<typeof command>;
type LoginNeeds = Pick<Needs, "terminal" | "settings" | "clock" | "opener" | "signal">;

const defaultUrl = "http://127.0.0.1:3000";

export async function run(options: LoginOptions, needs: LoginNeeds): Promise<number> {
  const { terminal, settings, signal } = needs;
  const url = await chooseUrl(options, needs);
  const headers = await settings.prepareAccess(url);
  const client = openClient(url, undefined, headers);
  const server = await probeServer(client, signal);
  const token = await obtainToken(client, server.hasUsers, options, needs);
  const user = await readUser(openClient(url, token, headers), signal);
  await store({ url, token }, settings.files);
  terminal.err.line(terminal.err.colors.green(`logged in to ${url} as ${user.username}`));
  terminal.err.line("list your workspaces with: slipway list");
  return exitCodes.ok;
}

async function store(session: StoredSession, files: SessionFiles): Promise<void> {
  try {
    await files.write(session);
  } catch (cause) {
    throw new CommandError(`cannot store the session in ${files.directory}`, {
      cause,
      hint: "choose another directory with --config-dir, or set CODER_URL and CODER_SESSION_TOKEN",
    });
  }
}

async function chooseUrl(
  { url: address }: LoginOptions,
  { terminal, settings }: LoginNeeds,
): Promise<string> {
  if (address !== undefined) return usableUrl(address);
  if (settings.url !== undefined) return settings.url;
  if (!terminal.interactive) {
    throw new UsageError(
      "no server address given",
      "pass it: slipway login <url>, or set CODER_URL",
    );
  }
  const answer = await terminal.prompts.text({
    message: "Server address",
    fallback: defaultUrl,
    problem: (text) => {
      try {
        readServerUrl(text);
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  });
  return readServerUrl(answer);
}

function usableUrl(text: string): string {
  try {
    return readServerUrl(text);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Returns a session token. Flags outrank the environment: a given token counts only without an email. */
async function obtainToken(
  client: ApiClient,
  hasUsers: boolean,
  options: LoginOptions,
  needs: LoginNeeds,
): Promise<string> {
  const { terminal, settings, signal } = needs;
  if (!hasUsers) return createFirst(client, options, { terminal, signal });
  const { provider } = options;
  const browser = { provider, open: !options.noOpen };
  if (options.browser || provider !== undefined) return logInByBrowser(client, browser, needs);
  if (settings.givenToken !== undefined && options.email === undefined) return settings.givenToken;
  if (options.email === undefined && terminal.interactive) {
    const choice = await chooseWay(client, needs);
    if (choice !== passwordWay) {
      return logInByBrowser(client, { ...browser, provider: choice }, needs);
    }
  }
  return logIn(client, options, { terminal, signal });
}

const passwordWay = "";

/** Asks how to log in, if the server has login providers; resolves to the id of one, or to `passwordWay`. */
async function chooseWay(client: ApiClient, { terminal, signal }: LoginNeeds): Promise<string> {
  const { providers = [] } = await client.call(getAuthMethods, { signal });
  if (providers.length === 0) return passwordWay;
  const choices = providers.map(({ id, display_name }) => ({ value: id, label: display_name }));
  return terminal.prompts.select("Log in with", [
    ...choices,
    { value: passwordWay, label: "email and password" },
  ]);
}

async function readUser(client: ApiClient, signal: AbortSignal): Promise<User> {
  try {
    return await client.call(getUser, { params: { user: "me" }, signal });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
    throw new CommandError(`${client.serverUrl} rejected the token`, {
      hint: `log in with email and password: slipway login ${client.serverUrl}`,
      exitCode: exitCodes.unauthorized,
    });
  }
}
