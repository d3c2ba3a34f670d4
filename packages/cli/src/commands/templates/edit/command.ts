import { defineCommand } from "../../../command/definition.ts";
import { needlessYesFlag, outputFlag } from "../../../command/flags.ts";
import { templateArgument } from "../arguments.ts";

export const command = defineCommand({
  name: "templates edit",
  summary: "change what a template says of itself and of its workspaces",
  description:
    "Changes what is named by a flag and leaves the rest. An empty text takes a text away.",
  arguments: { template: templateArgument },
  flags: {
    yes: needlessYesFlag,
    name: { kind: "text", value: "name", summary: "another name" },
    displayName: { kind: "text", value: "text", summary: "the title" },
    description: { kind: "text", value: "text", summary: "what it is for" },
    icon: { kind: "text", value: "path", summary: "an icon's address" },
    deprecated: {
      kind: "text",
      value: "message",
      summary: "no new workspaces, and why; an empty message allows them again",
    },
    defaultTtl: {
      kind: "text",
      value: "duration",
      summary: "when new workspaces stop by themselves, like 8h; 0 for never",
    },
    activityBump: {
      kind: "text",
      value: "duration",
      summary: "how much later a workspace stops that is in use",
    },
    requireActiveVersion: {
      kind: "text",
      value: "true|false",
      summary: "whether workspaces start with the active version only",
    },
    output: outputFlag,
  },
  examples: [
    { line: 'slipway templates edit small --display-name "Small box"', summary: "another title" },
    { line: 'slipway templates edit small --deprecated "use large"', summary: "no new workspaces" },
    { line: "slipway templates edit small --default-ttl 8h", summary: "stop after a day's work" },
  ],
});
