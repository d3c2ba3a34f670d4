import {
  maxDescriptionLength,
  maxEnv,
  maxKeyLength,
  maxLineLength,
  maxScriptLength,
  maxUrlLength,
} from "../limits.ts";
import { quote } from "../quote.ts";
import { isWebUrl, webUrlProblem } from "../url.ts";
import { record, type RecordOptions } from "./map-shape.ts";
import { integer } from "./scalar-shape.ts";
import { optional, withDefault, withExample } from "./shape.ts";
import { text } from "./text-shape.ts";

/** Names that become part of host names (docs/protocol/rest.md §5): those of agents and apps. */
export const hostKeys = {
  pattern: "^[a-z0-9](-?[a-z0-9])*$",
  wanted: "lowercase letters and digits, with single dashes between them",
  maxLength: maxKeyLength,
} satisfies RecordOptions["keys"];

/** Names without further use: those of scripts, metadata and presets. */
export const plainKeys = {
  pattern: "^[A-Za-z0-9][A-Za-z0-9_-]*$",
  wanted: "letters, digits, dashes and underscores, beginning with a letter or digit",
  maxLength: maxKeyLength,
} satisfies RecordOptions["keys"];

/** A line such as a title, in which builds replace nothing. */
export const line = text({ maxLength: maxLineLength });
export const renderedLine = text({ maxLength: maxLineLength, rendered: "plain" });
export const description = text({ maxLength: maxDescriptionLength });
/** A text that a shell runs. */
export const command = text({
  maxLength: maxScriptLength,
  minLength: 1,
  rendered: "shell",
  wanted: "a command",
});

/** Environment variables by name, whose values may contain expressions. */
export const environment = record(
  text({ maxLength: maxScriptLength, rendered: "plain", takesScalars: true }),
  {
    keys: {
      pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
      wanted: "letters, digits and underscores, not beginning with a digit",
      maxLength: 256,
    },
    max: maxEnv,
  },
);

/** An icon: a path on the server or a URL. */
export const icon = withDefault(
  withExample(
    "Icon: a path on the server such as `/icon/code.svg`, or an http(s) URL.",
    "/icon/code.svg",
  ),
  text({
    maxLength: maxUrlLength,
    problem: (value) =>
      value === "" || value.startsWith("/") || isWebUrl(value)
        ? undefined
        : `found ${quote(value)}, wanted a path such as /icon/code.svg or an http(s) URL`,
  }),
  "",
);

/** The position in a list. */
export const order = optional(
  withExample("Position among the others (default: as in the file).", 1),
  integer({ min: 0, max: 10_000 }),
);

export const webUrl = text({ maxLength: maxUrlLength, problem: webUrlProblem });
export const renderedWebUrl = text({
  maxLength: maxUrlLength,
  rendered: "plain",
  problem: webUrlProblem,
});
