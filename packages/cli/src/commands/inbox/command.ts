import { defineCommand } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";

export const command = defineCommand({
  summary: "show your unread notifications, newest first",
  description:
    "Show your unread notifications, newest first. You are notified when somebody else, such as an administrator, " +
    "connects to one of your workspaces.",
  arguments: {},
  flags: {
    all: { kind: "switch", short: "a", summary: "include notifications that you have read" },
    markRead: { kind: "switch", summary: "then mark all of them as read" },
    column: columnFlag(["time", "title", "content", "read", "id"], ["time", "content"]),
    output: outputFlag,
  },
  examples: [
    { line: "slipway inbox", summary: "unread notifications" },
    { line: "slipway inbox --mark-read", summary: "show them once" },
    { line: "slipway inbox --all -o json", summary: "all of them as JSON" },
  ],
});
