import { defineCommand } from "../../command/definition.ts";
import { noWaitFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../workspace/argument.ts";

export const command = defineCommand({
  name: "stop",
  summary: "stop a workspace; what its template keeps stays",
  arguments: { workspace: workspaceArgument },
  flags: { noWait: noWaitFlag },
  examples: [{ line: "slipway stop demo", summary: "and wait until it has stopped" }],
});
