import { readFile } from "node:fs/promises";

import { getBuildInfo } from "@slipway/api/deployment/routes";
import { getUser } from "@slipway/api/users/routes";
import { objectOf, systemErrorCode, textOf, listOf } from "@slipway/runtime";
import { ApiError } from "@slipway/sdk/http";
import { findSession, firstVariable, readServerUrl } from "@slipway/sdk/session";

import { CommandError, notLoggedIn, UsageError } from "../../../command/errors.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs, Settings } from "../../../command/needs.ts";
import { PatientClient } from "./patient-client.ts";

type ServerNeeds = Pick<Needs, "terminal" | "settings" | "environment" | "clock" | "signal">;

/** A server with the name of the token's user, who is an owner. */
export interface OwnedServer {
  readonly server: PatientClient;
  readonly username: string;
  readonly deploymentId: string;
}

/** The server that is read. */
interface SourceAddress {
  readonly serverUrl: string;
  /** The file with the token; undefined for the variable or a prompt. */
  readonly tokenFile: string | undefined;
}

/** Reads the address of the server that is read. Throws `UsageError`. */
export function readAddress(address: string): string {
  try {
    return readServerUrl(address);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Connects to the server that is read, with the token of one of its owners. */
export async function openSource(
  { serverUrl, tokenFile }: SourceAddress,
  needs: ServerNeeds,
): Promise<OwnedServer> {
  const token = await readToken(serverUrl, tokenFile, needs);
  const { clock, signal } = needs;
  return requireOwner(new PatientClient({ serverUrl, token, clock, signal }), {
    newToken: "create a token there with: coder tokens create",
  });
}

/** Connects to the server that imports, as the logged-in user. */
export async function openTarget(source: SourceAddress, needs: ServerNeeds): Promise<OwnedServer> {
  const { clock, signal } = needs;
  const { url, token, headers } = await targetSettings(source, needs);
  if (url === undefined && needs.settings.url !== undefined) throw sameServer(source.serverUrl);
  if (url === undefined || token === undefined) throw notLoggedIn(url);
  const server = new PatientClient({ serverUrl: url, token, headers, clock, signal });
  return requireOwner(server, { newToken: `log in with: slipway login ${url}` });
}

/** Returns the error of an import from the server that would import. */
export function sameServer(url: string): UsageError {
  return new UsageError(
    `${url} is the server to read, and no other one is known to import into`,
    "log in to the server that imports, with: slipway login <url>",
  );
}

/**
 * Returns the settings of the server that imports. `CODER_SESSION_TOKEN` is not its token if it is that of the server that
 * is read, nor is `CODER_URL` its address if it is that of the other one.
 */
async function targetSettings(
  { serverUrl, tokenFile }: SourceAddress,
  { settings, environment }: ServerNeeds,
): Promise<Pick<Settings, "url" | "token" | "headers">> {
  const { CODER_URL: _url, CODER_SESSION_TOKEN: token, ...others } = environment;
  const isOtherUrl = settings.url === serverUrl;
  const isOtherToken =
    tokenFile === undefined && token !== undefined && settings.givenToken === token;
  if (!isOtherUrl && !isOtherToken) return settings;
  const given = {
    url: isOtherUrl ? undefined : settings.url,
    token: isOtherToken ? undefined : settings.givenToken,
    configDir: settings.files.directory,
  };
  const { url, token: ownToken } = await findSession(given, others);
  const headers = url === undefined ? {} : await settings.prepareAccess(url);
  return { url, token: ownToken, headers };
}

async function readToken(
  serverUrl: string,
  file: string | undefined,
  { terminal, environment }: ServerNeeds,
): Promise<string> {
  if (file !== undefined) {
    const text = file === "-" ? await terminal.readInput() : await readTokenFile(file);
    if (text.trim() !== "") return text.trim();
    throw new UsageError(`--token-file ${file} is empty`);
  }
  const variable = firstVariable(environment, "CODER_SESSION_TOKEN");
  if (variable !== undefined) return variable;
  if (terminal.interactive)
    return terminal.prompts.password(`Session token of an owner of ${serverUrl}`);
  throw new UsageError(
    "not a terminal: pass --token-file or set CODER_SESSION_TOKEN",
    "create a token there with: coder tokens create",
  );
}

async function readTokenFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UsageError(`cannot read --token-file ${file}: ${systemErrorCode(error) ?? "failed"}`);
  }
}

async function requireOwner(
  server: PatientClient,
  { newToken }: { readonly newToken: string },
): Promise<OwnedServer> {
  const info = objectOf(await server.probe(getBuildInfo));
  const params = { user: "me" };
  const user = objectOf(
    await server.probe(getUser, { params }).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 401)) throw error;
      const options = { hint: newToken, exitCode: exitCodes.unauthorized };
      throw new CommandError(`${server.serverUrl} rejected the token`, options);
    }),
  );
  const username = textOf(user["username"]);
  const roles = listOf(user["roles"]).map((role) => textOf(objectOf(role)["name"]));
  if (roles.includes("owner"))
    return { server, username, deploymentId: textOf(info["deployment_id"]) };
  throw new CommandError(`${username} is not an owner of ${server.serverUrl}`, {
    hint: "an import needs the role owner on both servers",
    exitCode: exitCodes.unauthorized,
  });
}
