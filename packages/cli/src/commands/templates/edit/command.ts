import { defineCommand } from "../../../command/definition.ts";
import { needlessYesFlag, outputFlag } from "../../../command/flags.ts";
import { templateArgument } from "../../../resources/templates/arguments.ts";

export const command = defineCommand({
  summary: "change a template's settings",
  description: "Change only the settings given as flags. An empty value clears a text.",
  arguments: { template: templateArgument },
  flags: {
    yes: needlessYesFlag,
    name: { kind: "text", value: "name", summary: "new name" },
    displayName: { kind: "text", value: "text", summary: "display name" },
    description: { kind: "text", value: "text", summary: "description" },
    icon: { kind: "text", value: "path", summary: "address of the icon" },
    deprecated: {
      kind: "text",
      value: "message",
      summary: "reason to allow no new workspaces; an empty message allows them again",
    },
    defaultTtl: {
      kind: "text",
      value: "duration",
      summary: "time after which new workspaces stop automatically, such as 8h; 0 for never",
    },
    activityBump: {
      kind: "text",
      value: "duration",
      summary: "time by which activity delays the automatic stop",
    },
    requireActiveVersion: {
      kind: "text",
      value: "true|false",
      summary: "require workspaces to start with the active version",
    },
    output: outputFlag,
  },
  examples: [
    {
      line: 'slipway templates edit small --display-name "Small box"',
      summary: "change the display name",
    },
    {
      line: 'slipway templates edit small --deprecated "use large"',
      summary: "allow no new workspaces",
    },
    { line: "slipway templates edit small --default-ttl 8h", summary: "stop after 8 hours" },
  ],
});
