import { getAgentExternalAuth } from "@slipway/api";

import { openClient } from "../../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../../command/definition.ts";
import { CommandError, UsageError } from "../../../command/errors.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import { outputFlag } from "../../../command/flags.ts";
import type { Needs } from "../../../command/needs.ts";
import { printJson } from "../../../command/print-json.ts";
import { firstVariable } from "../../../config/environment.ts";
import { readServerUrl } from "../../../config/server-url.ts";
import { fieldAt } from "./field-at.ts";

export const command = defineCommand({
  summary: "print the workspace owner's token for a git host, inside the workspace",
  description:
    "Request a token of the workspace's owner from the server, as the workspace's agent. If the owner has to log " +
    "in to the provider first, the command prints the login URL and exits with 1.",
  arguments: { provider: { summary: "id of the provider", required: true } },
  flags: {
    extra: {
      kind: "text",
      value: "path",
      summary: "print a field of the token response, such as a.b",
    },
    agentUrl: {
      kind: "text",
      value: "url",
      variable: "CODER_AGENT_URL",
      summary: "address of the server",
    },
    agentToken: {
      kind: "text",
      value: "token",
      variable: "CODER_AGENT_TOKEN",
      summary: "the agent's token",
    },
    output: outputFlag,
  },
  examples: [{ line: "slipway external-auth access-token github", summary: "print the token" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, environment, signal }: Pick<Needs, "terminal" | "environment" | "signal">,
): Promise<number> {
  const url = options.agentUrl ?? firstVariable(environment, "CODER_AGENT_URL");
  const token = options.agentToken ?? firstVariable(environment, "CODER_AGENT_TOKEN");
  if (url === undefined || token === undefined) {
    const missing = url === undefined ? "CODER_AGENT_URL" : "CODER_AGENT_TOKEN";
    throw new UsageError(
      `${missing} is not set`,
      "run this command inside a workspace, where it is set",
    );
  }
  const client = openClient(readServerUrl(url), token);
  const query = { id: options.provider };
  const found = await client.call(getAgentExternalAuth, { query, signal });
  const { out } = terminal;
  if (options.output === "json") printJson(out, found);
  else if (found.url !== "") out.line(found.url);
  else if (options.extra === undefined) out.line(found.access_token);
  else {
    const value = fieldAt(found.token_extra, options.extra);
    if (value === undefined) {
      throw new CommandError(`the token response has no field ${options.extra}`, {
        hint: "see the whole response with: --output json",
        exitCode: exitCodes.notFound,
      });
    }
    out.line(value);
  }
  return found.url === "" ? exitCodes.ok : exitCodes.failure;
}
