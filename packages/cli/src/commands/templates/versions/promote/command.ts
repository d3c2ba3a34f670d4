import { defineCommand } from "../../../../command/definition.ts";

export const command = defineCommand({
  summary: "make a version the active one",
  arguments: {
    name: { summary: "name of the template", required: false, completes: "template" },
    version: { summary: "name of the version", required: false, completes: "version" },
  },
  flags: {
    template: {
      kind: "text",
      short: "t",
      value: "name",
      summary: "the template, as a flag",
      variable: "CODER_TEMPLATE_NAME",
      completes: "template",
      hidden: true,
    },
    templateVersion: {
      kind: "text",
      value: "name",
      summary: "the version, as a flag",
      variable: "CODER_TEMPLATE_VERSION_NAME",
      completes: "version",
      hidden: true,
    },
  },
  examples: [
    {
      line: "slipway templates versions promote small v2",
      summary: "activate version v2 of small",
    },
  ],
});
