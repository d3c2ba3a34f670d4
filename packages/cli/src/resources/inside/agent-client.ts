import type { ApiClient } from "@slipway/sdk/http";

import { openClient } from "../../command/connect.ts";
import { UsageError } from "../../command/errors.ts";
import { type Environment, firstVariable } from "../../config/environment.ts";
import { readServerUrl } from "../../config/server-url.ts";

interface AgentOptions {
  readonly agentUrl: string | undefined;
  readonly agentToken: string | undefined;
}

/** Returns whether the command runs inside a workspace, or is told how to act as its agent. */
export function isInside(options: AgentOptions, environment: Environment): boolean {
  const { url, token } = accessOf(options, environment);
  return url !== undefined && token !== undefined;
}

/** Returns a client that calls the server as the agent of the workspace it runs in. Throws `UsageError` elsewhere. */
export function connectAsAgent(options: AgentOptions, environment: Environment): ApiClient {
  const { url, token } = accessOf(options, environment);
  if (url === undefined || token === undefined) {
    const missing = url === undefined ? "CODER_AGENT_URL" : "CODER_AGENT_TOKEN";
    throw new UsageError(
      `${missing} is not set`,
      "run this command inside a workspace, where it is set",
    );
  }
  return openClient(readServerUrl(url), token);
}

function accessOf({ agentUrl, agentToken }: AgentOptions, environment: Environment) {
  return {
    url: agentUrl ?? firstVariable(environment, "CODER_AGENT_URL"),
    token: agentToken ?? firstVariable(environment, "CODER_AGENT_TOKEN"),
  };
}
