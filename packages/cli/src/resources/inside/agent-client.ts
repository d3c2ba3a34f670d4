import type { ApiClient } from "@slipway/sdk/http";
import { type Environment, firstVariable, readServerUrl } from "@slipway/sdk/session";

import { openClient } from "../../command/connect.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import type { Needs } from "../../command/needs.ts";
import type { agentFlags } from "./agent-flags.ts";

/** The values of `agentFlags`. */
export type AgentOptions = Readonly<Record<keyof typeof agentFlags, string | undefined>>;

/** Returns whether the command runs inside a workspace, or was told how to act as its agent. */
export function isInside(options: AgentOptions, environment: Environment): boolean {
  const { url, token, tokenFile, auth } = accessOf(options, environment);
  return url !== undefined && (token !== undefined || tokenFile !== undefined || auth !== "token");
}

/**
 * Returns a client that calls the server as the agent of the workspace. Throws `UsageError` outside of a workspace,
 * and `CommandError` if the server does not know this machine.
 */
export async function connectAsAgent(
  options: AgentOptions,
  { environment, clock, signal }: Pick<Needs, "environment" | "clock" | "signal">,
): Promise<ApiClient> {
  const access = accessOf(options, environment);
  const { auth, token, tokenFile } = access;
  const isMissing = auth === "token" && token === undefined && tokenFile === undefined;
  if (access.url === undefined || isMissing) {
    const missing = access.url === undefined ? "CODER_AGENT_URL" : "CODER_AGENT_TOKEN";
    throw new UsageError(
      `${missing} is not set`,
      "run this command inside a workspace, where it is set",
    );
  }
  const url = readServerUrl(access.url);
  // The usual case: nothing else must be loaded for it.
  if (auth === "token" && token !== undefined) return openClient(url, token);
  return openClient(url, await readToken(url, access, { environment, clock, signal }));
}

interface AgentAccess {
  readonly url: string | undefined;
  readonly auth: string;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  readonly name: string | undefined;
}

/**
 * Returns the values of the flags, or else of the variables. The agent sets `CODER_AGENT_TOKEN` for everything that
 * it starts, so a token takes precedence over other variables, but not over typed flags.
 */
function accessOf(options: AgentOptions, environment: Environment): AgentAccess {
  const variable = (name: string): string | undefined => firstVariable(environment, name);
  const typed = (value: string | undefined, name: string): string | undefined =>
    value === "" || value === variable(name) ? undefined : value;
  const auth = typed(options.auth, "CODER_AGENT_AUTH");
  const token = typed(options.agentToken, "CODER_AGENT_TOKEN");
  const tokenFile = typed(options.agentTokenFile, "CODER_AGENT_TOKEN_FILE");
  const hasOther = tokenFile !== undefined || (auth !== undefined && auth !== "token");
  const lentToken = hasOther ? undefined : variable("CODER_AGENT_TOKEN");
  const isTokenGiven = (token ?? lentToken ?? tokenFile) !== undefined;
  return {
    url: options.agentUrl ?? variable("CODER_AGENT_URL"),
    auth: auth ?? (isTokenGiven ? "token" : (variable("CODER_AGENT_AUTH") ?? "token")),
    token: token ?? lentToken,
    tokenFile: tokenFile ?? variable("CODER_AGENT_TOKEN_FILE"),
    name: options.agentName ?? variable("CODER_AGENT_NAME"),
  };
}

/** Reads the token from its file, or gets one for the identity of this machine. */
async function readToken(
  serverUrl: string,
  { auth: method, token, tokenFile, name }: AgentAccess,
  { environment, clock, signal }: Pick<Needs, "environment" | "clock" | "signal">,
): Promise<string> {
  const { DialError, IdentityError, InstanceCredential, readAuth } =
    await import("@slipway/sdk/agent");
  const values: Environment = {
    ...environment,
    CODER_AGENT_AUTH: method,
    CODER_AGENT_TOKEN: token,
    CODER_AGENT_TOKEN_FILE: tokenFile,
    CODER_AGENT_NAME: name,
  };
  const faults: string[] = [];
  const auth = readAuth((variable) => firstVariable(values, variable), faults);
  if (faults.length > 0) throw new UsageError(faults.join("; "));
  if (auth.kind === "token") return auth.token;
  const { cloud, metadataUrl, agentName } = auth;
  const options = { serverUrl, headers: {}, cloud, metadataUrl, agentName, clock };
  try {
    return await new InstanceCredential(options).refresh(signal);
  } catch (error) {
    if (!(error instanceof DialError || error instanceof IdentityError)) throw error;
    throw new CommandError(error.message, { cause: error });
  }
}
