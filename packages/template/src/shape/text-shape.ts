import { quoted } from "../quoted.ts";
import type { Place, Reader } from "../reader.ts";
import { shellProblems } from "../shell-text.ts";
import { expressionMark, hasExpression, parseTemplateText } from "../template-text.ts";
import { contentText, type JsonSchema, reportKind, type Shape } from "./shape.ts";

export interface TextOptions {
  readonly maxLength: number;
  readonly minLength?: number;
  /** The pattern of the whole text, and the same in words. */
  readonly pattern?: string;
  readonly wanted?: string;
  /**
   * Set where a build replaces `${{ … }}`; anywhere else the characters are refused. `shell` is text that a shell runs, which
   * takes no values that users choose.
   */
  readonly rendered?: "plain" | "shell";
  /** True if a number or a boolean is taken as the text in the file. */
  readonly takesScalars?: boolean;
  /**
   * Explains what is wrong with the text, or returns nothing. Expressions read as `1` to it; it is not asked about one
   * in front.
   */
  readonly problem?: (text: string) => string | undefined;
  readonly schema?: JsonSchema;
}

/** Makes a text that PostgreSQL can store: no NUL, no half of a surrogate pair. */
export function text(options: TextOptions): Shape<string> {
  const pattern = options.pattern === undefined ? undefined : new RegExp(options.pattern, "u");
  return {
    schema: textSchema(options),
    read: (place, reader) => {
      const value = readText(place, reader, options);
      if (value === undefined) return undefined;
      const fail = (message: string): undefined => {
        reader.report(place, message);
      };
      const { maxLength, minLength = 0 } = options;
      if (value.length < minLength)
        return fail(`found an empty text, wanted ${options.wanted ?? "at least one character"}`);
      if (value.length > maxLength)
        return fail(`found ${value.length} characters, wanted at most ${maxLength}`);
      if (value.includes("\0") || !value.isWellFormed())
        return fail("found a NUL or half a surrogate pair, wanted text");
      if (hasExpression(value)) {
        if (options.rendered !== undefined) return checkRendered(value, place, reader, options);
        return fail("found `${{`, but expressions are not replaced in this place");
      }
      if (pattern !== undefined && !pattern.test(value)) {
        return fail(
          `found ${quoted(value)}, wanted ${options.wanted ?? `text that matches ${options.pattern ?? ""}`}`,
        );
      }
      const problem = options.problem?.(value);
      return problem === undefined ? value : fail(problem);
    },
  };
}

/** Makes one text from a list. */
export function choice<const V extends readonly string[]>(values: V, hint = ""): Shape<V[number]> {
  return {
    schema: { type: "string", enum: [...values] },
    read: (place, reader) => {
      const content = reader.open(place);
      const value =
        content.kind === "scalar" ? values.find((one) => one === content.value) : undefined;
      return value ?? reportKind(place, reader, content, `one of ${values.join(", ")}${hint}`);
    },
  };
}

function readText(place: Place, reader: Reader, options: TextOptions): string | undefined {
  const content = reader.open(place);
  if (content.kind === "scalar") {
    if (typeof content.value === "string") return content.value;
    if (content.value !== null && options.takesScalars === true) return content.source;
    if (content.value !== null) {
      reader.report(
        place,
        `found ${contentText(content)}, wanted ${options.wanted ?? "text"}; put it in quotes`,
      );
      return undefined;
    }
  }
  const isTilde = content.kind === "scalar" && content.source === "~";
  const mayBeEmpty = content.kind === "empty" && (options.minLength ?? 0) === 0;
  const hint = isTilde
    ? '; a bare ~ is null in YAML, write "~" with quotes'
    : mayBeEmpty
      ? ' ("" for none)'
      : "";
  return reportKind(place, reader, content, `${options.wanted ?? "text"}${hint}`);
}

function checkRendered(
  value: string,
  place: Place,
  reader: Reader,
  options: TextOptions,
): string | undefined {
  const names = reader.parameterNames;
  const { parts, problems } = parseTemplateText(value, (name) => names.has(name), [...names]);
  const all = options.rendered === "shell" ? [...problems, ...shellProblems(parts)] : problems;
  for (const { index, message } of all) {
    reader.reportAt(place, reader.offsetOf(place, value, index, expressionMark), message);
  }
  if (all.length > 0) return undefined;
  const example = parts.map((part) => (part.kind === "literal" ? part.text : "1")).join("");
  const first = parts.find((part) => part.kind !== "literal" || part.text !== "");
  const problem = first?.kind === "literal" ? options.problem?.(example) : undefined;
  if (problem === undefined) return value;
  reader.report(place, problem);
  return undefined;
}

function textSchema(options: TextOptions): JsonSchema {
  // An expression may stand where the finished text must have a form.
  const form =
    options.pattern === undefined || options.rendered !== undefined
      ? {}
      : { pattern: options.pattern };
  return {
    type: options.takesScalars === true ? ["string", "number", "boolean"] : "string",
    ...(options.minLength === undefined ? {} : { minLength: options.minLength }),
    maxLength: options.maxLength,
    ...form,
    ...options.schema,
  };
}
