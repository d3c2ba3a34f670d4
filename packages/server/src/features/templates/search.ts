import { invalidField } from "../../platform/errors/errors.ts";
import type { TemplateFilter } from "./queries.ts";

/**
 * Parses a search for templates: `exact_name:"x"` and `deprecated:true`, both or none. Throws `Invalid` for anything
 * else.
 */
export function parseTemplateSearch(text: string): TemplateFilter {
  let exactName: string | undefined;
  let isDeprecated: boolean | undefined;
  for (const term of text.match(/[^\s"]*"[^"]*"|\S+/g) ?? []) {
    const [, key = "", value = ""] = /^([a-z_]+):"?([^"]*)"?$/.exec(term) ?? [];
    if (key === "exact_name" && value !== "") exactName = value;
    else if (key === "deprecated" && (value === "true" || value === "false"))
      isDeprecated = value === "true";
    else {
      const detail = `must consist of exact_name:"…" and deprecated:true or deprecated:false, found ${term.slice(0, 60)}`;
      throw invalidField("q", detail, "Invalid template search query.");
    }
  }
  return { exactName, isDeprecated };
}
