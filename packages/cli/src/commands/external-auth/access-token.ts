import { getAgentExternalAuth } from "@slipway/api/agents/owner-secret-routes";

import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-result.ts";
import { connectAsAgent } from "../../resources/inside/agent-client.ts";
import { agentFlags } from "../../resources/inside/agent-flags.ts";

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
    ...agentFlags,
    output: outputFlag,
  },
  examples: [{ line: "slipway external-auth access-token github", summary: "print the token" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "environment" | "clock" | "signal">,
): Promise<number> {
  const { terminal, signal } = needs;
  const client = await connectAsAgent(options, needs);
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

/** Returns the field at a path `a.b` of a document as text; undefined if there is none. */
export function fieldAt(document: unknown, path: string): string | undefined {
  let value = document;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = new Map(Object.entries(value)).get(name);
  }
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
