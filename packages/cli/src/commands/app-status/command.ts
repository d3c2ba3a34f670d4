import { defineCommand } from "../../command/definition.ts";
import { agentFlags } from "../../resources/inside/agent-flags.ts";

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
