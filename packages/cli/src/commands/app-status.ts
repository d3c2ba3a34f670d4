import { updateAgentAppStatus } from "@slipway/api/agents/app-status-routes";

import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { UsageError } from "../command/errors.ts";
import { exitCodes } from "../command/exit-codes.ts";
import type { Needs } from "../command/needs.ts";
import { connectAsAgent } from "../resources/inside/agent-client.ts";
import { agentFlags } from "../resources/inside/agent-flags.ts";

export const command = defineCommand({
  summary: "report the status of an app, inside the workspace",
  description:
    "Report what an app of this workspace is doing, for instance an agent that works on a task. Everybody who may see " +
    "the workspace sees the newest status, for example with slipway show.",
  arguments: {
    state: { summary: "working, idle, complete or failure", required: true },
    message: { summary: "one short line, at most 160 bytes", required: false },
  },
  flags: {
    app: {
      kind: "text",
      value: "slug",
      variable: "CODER_MCP_APP_STATUS_SLUG",
      summary: "slug of the app",
    },
    uri: { kind: "text", value: "url", summary: "address of the result, such as a pull request" },
    ...agentFlags,
  },
  examples: [
    {
      line: 'slipway app-status working "running the tests" --app claude',
      summary: "what the app does now",
    },
    {
      line: 'slipway app-status complete "opened a pull request" --app claude --uri https://github.com/a/b/pull/1',
      summary: "its result",
    },
  ],
});

const states: readonly string[] = ["working", "idle", "complete", "failure"];

export async function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "environment" | "clock" | "signal">,
): Promise<number> {
  const { state, message = "", app, uri = "" } = options;
  if (!states.includes(state)) {
    throw new UsageError(`the state must be one of ${states.join(", ")}, found "${state}"`);
  }
  if (app === undefined) {
    throw new UsageError("missing the app: pass --app with its slug, as slipway show prints it");
  }
  const client = await connectAsAgent(options, needs);
  const body = { app_slug: app, state, message, uri };
  await client.call(updateAgentAppStatus, { body, signal: needs.signal });
  return exitCodes.ok;
}
