import { defineCommand } from "../../command/definition.ts";
import { noWaitFlag, parameterFlag } from "../../command/flags.ts";

export const command = defineCommand({
  name: "create",
  summary: "create a workspace and start it",
  description:
    "Creates a workspace and shows how it starts, until it can be used. The template is chosen by itself when there " +
    "is only one, and asked for on a terminal when there are several.",
  arguments: { name: { summary: "name of the workspace; made up unless given", required: false } },
  flags: {
    template: { kind: "text", short: "t", value: "name", summary: "what to make it from" },
    preset: {
      kind: "text",
      value: "name",
      summary: "a named set of parameters; the template's default unless given; none for none",
    },
    parameter: parameterFlag,
    noWait: noWaitFlag,
  },
  examples: [
    { line: "slipway create", summary: "a made-up name, the only template" },
    { line: "slipway create box --template small --preset quick", summary: "with a preset" },
    {
      line: "slipway create box --parameter greeting=hi --parameter size=large",
      summary: "with parameters",
    },
  ],
});
