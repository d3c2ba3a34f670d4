import { durationText } from "@slipway/runtime";

import { type SizeRange, sizeProblem } from "../container-values.ts";
import { durationPattern, parseDuration } from "../duration.ts";
import { parseSize, sizePattern, sizeText } from "../size.ts";
import { reportMismatch, type Shape } from "./shape.ts";

/** `true` or `false`. */
export const boolean: Shape<boolean> = {
  schema: { type: "boolean" },
  read: (location, reader) => {
    const content = reader.open(location);
    if (content.kind === "scalar" && typeof content.value === "boolean") return content.value;
    return reportMismatch(location, reader, content, "true or false");
  },
};

/** Makes a whole number within limits, both inclusive. */
export function integer(options: { readonly min: number; readonly max: number }): Shape<number> {
  const { min, max } = options;
  return {
    schema: { type: "integer", minimum: min, maximum: max },
    read: (location, reader) => {
      const content = reader.open(location);
      const value = content.kind === "scalar" ? content.value : undefined;
      if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max)
        return value;
      return reportMismatch(location, reader, content, `a whole number from ${min} to ${max}`);
    },
  };
}

/** Makes a time such as `90s` or `1h30m`, as whole seconds within limits, both inclusive. */
export function duration(options: { readonly min: number; readonly max: number }): Shape<number> {
  const { min, max } = options;
  return {
    schema: {
      type: "string",
      pattern: durationPattern,
      // A pattern cannot express the limits, so the reference shows them to people.
      $comment: `from ${durationText(min * 1_000)} to ${durationText(max * 1_000)}`,
    },
    read: (location, reader) => {
      const content = reader.open(location);
      const value = content.kind === "scalar" ? content.value : undefined;
      const seconds = typeof value === "string" ? parseDuration(value) : undefined;
      if (seconds !== undefined && seconds >= min && seconds <= max) return seconds;
      const limits = `from ${durationText(min * 1_000)} to ${durationText(max * 1_000)}`;
      const unit = typeof value === "number" ? `; write the unit, such as ${value}s` : "";
      return reportMismatch(
        location,
        reader,
        content,
        `whole seconds such as 45s, 5m or 1h30m, ${limits}${unit}`,
      );
    },
  };
}

/** Makes a size such as `512MiB` or `2Gi`, as bytes within limits. */
export function size(range: SizeRange): Shape<number> {
  return {
    schema: {
      title: "size",
      type: "string",
      pattern: sizePattern,
      $comment: `from ${sizeText(range.min)} to ${sizeText(range.max)}`,
    },
    read: (location, reader) => {
      const content = reader.open(location);
      if (content.kind !== "scalar") return reportMismatch(location, reader, content, "a size");
      const problem = sizeProblem(content.source, range);
      return problem === undefined ? parseSize(content.source) : reader.report(location, problem);
    },
  };
}
