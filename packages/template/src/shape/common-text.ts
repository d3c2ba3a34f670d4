import { isWebUrl, webUrlProblem } from "../address.ts";
import {
  maxDescriptionLength,
  maxKeyLength,
  maxLineLength,
  maxScriptLength,
  maxUrlLength,
} from "../limits.ts";
import { quoted } from "../quoted.ts";
import type { RecordOptions } from "./map-shape.ts";
import { about } from "./shape.ts";
import { text } from "./text-shape.ts";

/** Names that become part of host names (docs/protocol/rest.md §5): agents and apps. */
export const hostKeys = {
  pattern: "^[a-z0-9](-?[a-z0-9])*$",
  wanted: "lower-case letters and digits with single dashes between them",
  maxLength: maxKeyLength,
} satisfies RecordOptions["keys"];

/** Names without a further use: scripts, metadata, presets. */
export const plainKeys = {
  pattern: "^[A-Za-z0-9][A-Za-z0-9_-]*$",
  wanted: "letters, digits, dashes and underscores, a letter or digit first",
  maxLength: maxKeyLength,
} satisfies RecordOptions["keys"];

/** A title or the like; builds replace nothing in it. */
export const line = text({ maxLength: maxLineLength });
export const renderedLine = text({ maxLength: maxLineLength, rendered: "plain" });
export const description = text({ maxLength: maxDescriptionLength });
/** Text that a shell runs. */
export const command = text({
  maxLength: maxScriptLength,
  minLength: 1,
  rendered: "shell",
  wanted: "a command",
});

/** A picture: a path on the server or a web address. */
export const icon = text({
  maxLength: maxUrlLength,
  problem: (value) =>
    value === "" || value.startsWith("/") || isWebUrl(value)
      ? undefined
      : `found ${quoted(value)}, wanted a path such as /icon/code.svg or an http(s) address`,
});

/** The description of every icon. */
export const iconMeaning = about(
  "Icon: a path on the server such as `/icon/code.svg`, or a web address.",
  "/icon/code.svg",
);

export const webUrl = text({ maxLength: maxUrlLength, problem: webUrlProblem });
export const renderedWebUrl = text({
  maxLength: maxUrlLength,
  rendered: "plain",
  problem: webUrlProblem,
});
