import { defineCommand } from "../../../command/definition.ts";
import { primaryRegion } from "../../../resources/applications/find-region.ts";
import { agentArgument } from "../../../resources/network/agent-arguments.ts";

export const command = defineCommand({
  summary: "open an app of a workspace in the browser",
  description:
    "Print the URL of an app and open it in the browser, or in the editor that it belongs to. Without an app, list " +
    "those of the workspace. Where there is no browser, only the URL is printed.",
  arguments: {
    workspace: agentArgument,
    app: { summary: "slug of the app (default: list all)", required: false },
  },
  flags: {
    noOpen: { kind: "switch", summary: "only print the URL" },
    region: {
      kind: "text",
      value: "name",
      variable: "CODER_OPEN_APP_REGION",
      summary: `region that serves the app (default: ${primaryRegion})`,
    },
  },
  examples: [
    { line: "slipway open app demo", summary: "list the apps, their health and their URLs" },
    { line: "slipway open app demo code-server", summary: "open one" },
    { line: "slipway open app ada/demo.main docs --no-open", summary: "print the URL of one" },
  ],
});
