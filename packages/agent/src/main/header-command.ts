import { RequestHeaderError, type RequestHeaders, runHeaderCommand } from "@slipway/sdk/node";

import { type AgentConfig, type Variables, AgentConfigError } from "../config/agent-config.ts";

/**
 * Returns the headers of the settings and those that the header command prints. Rejects with `AgentConfigError`.
 */
export async function allHeaders(
  config: Pick<AgentConfig, "serverUrl" | "headers"> & { readonly headerCommand: string },
  environment: Variables,
): Promise<RequestHeaders> {
  const { serverUrl, headers, headerCommand } = config;
  try {
    return { ...headers, ...(await runHeaderCommand(headerCommand, { serverUrl, environment })) };
  } catch (error) {
    if (error instanceof RequestHeaderError) throw new AgentConfigError([error.message]);
    throw error;
  }
}
