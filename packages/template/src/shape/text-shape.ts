import type { Location } from "../location.ts";
import { storageProblem } from "../parameter-value.ts";
import type { Reader } from "../reader.ts";
import { shellProblems } from "../shell-text.ts";
import { expressionMark, hasExpression, parseTemplateText } from "../template-text.ts";
import { describeContent, reportMismatch, type Shape } from "./shape.ts";

export interface TextOptions {
  readonly maxLength: number;
  /** The minimum length; 1 for a text that must not be empty. */
  readonly minLength?: 1;
  /** A description of the text: "a command". */
  readonly wanted?: string;
  /**
   * Set where a build replaces `${{ … }}`; elsewhere these characters are refused. `shell` is text that a shell runs,
   * which must not contain values that users choose.
   */
  readonly rendered?: "plain" | "shell";
  /** True if a number or a boolean in the file is read as text. */
  readonly takesScalars?: boolean;
  /**
   * Explains a fault of the text; undefined if there is none. Sees expressions as `1`, and is not called for a text
   * that starts with one.
   */
  readonly problem?: (text: string) => string | undefined;
}

/** Makes a text that PostgreSQL can store: no NUL, no lone surrogate. */
export function text(options: TextOptions): Shape<string> {
  const { maxLength, minLength } = options;
  return {
    schema: {
      type: options.takesScalars === true ? ["string", "number", "boolean"] : "string",
      ...(minLength === undefined ? {} : { minLength }),
      maxLength,
    },
    read: (location, reader) => {
      const value = readText(location, reader, options);
      if (value === undefined) return undefined;
      const isRendered = options.rendered !== undefined && hasExpression(value);
      const problem =
        emptyProblem(value, options) ??
        storageProblem(value, maxLength) ??
        (isRendered ? undefined : plainProblem(value, options));
      if (problem !== undefined) return reader.report(location, problem);
      return isRendered ? readRendered(value, location, reader, options) : value;
    },
  };
}

/** Makes one text from a list. */
export function choice<const V extends readonly string[]>(values: V, hint = ""): Shape<V[number]> {
  return {
    schema: { type: "string", enum: [...values] },
    read: (location, reader) => {
      const content = reader.open(location);
      const value =
        content.kind === "scalar" ? values.find((one) => one === content.value) : undefined;
      const wanted = `one of ${values.join(", ")}${hint}`;
      return value ?? reportMismatch(location, reader, content, wanted);
    },
  };
}

function readText(location: Location, reader: Reader, options: TextOptions): string | undefined {
  const { wanted = "a string", takesScalars = false, minLength } = options;
  const content = reader.open(location);
  if (content.kind === "scalar") {
    if (typeof content.value === "string") return content.value;
    if (content.value !== null) {
      if (takesScalars) return content.source;
      const found = describeContent(content);
      return reader.report(location, `found ${found}, wanted ${wanted}; put it in quotes`);
    }
  }
  const isTilde = content.kind === "scalar" && content.source === "~";
  const mayBeEmpty = content.kind === "empty" && minLength === undefined;
  const hint = isTilde
    ? '; a bare ~ is null in YAML, write "~" with quotes'
    : mayBeEmpty
      ? ' ("" for none)'
      : "";
  return reportMismatch(location, reader, content, `${wanted}${hint}`);
}

function emptyProblem(value: string, { minLength, wanted }: TextOptions): string | undefined {
  if (value !== "" || minLength === undefined) return undefined;
  return `found an empty string, wanted ${wanted ?? "at least one character"}`;
}

function plainProblem(value: string, { problem }: TextOptions): string | undefined {
  if (!hasExpression(value)) return problem?.(value);
  return "found `${{`, but expressions are not replaced in this field";
}

/** Reads a text with expressions; reports each faulty one at its start. */
function readRendered(
  value: string,
  location: Location,
  reader: Reader,
  { rendered, problem }: TextOptions,
): string | undefined {
  const { parts, problems } = parseTemplateText(value, reader.parameterNames);
  const all = rendered === "shell" ? [...problems, ...shellProblems(parts)] : problems;
  for (const { index, message } of all)
    reader.reportAt(location, reader.offsetOf(location, value, index, expressionMark), message);
  if (all.length > 0) return undefined;
  const example = parts.map((part) => (part.kind === "literal" ? part.text : "1")).join("");
  const first = parts.find((part) => part.kind !== "literal" || part.text !== "");
  const found = first?.kind === "literal" ? problem?.(example) : undefined;
  return found === undefined ? value : reader.report(location, found);
}
