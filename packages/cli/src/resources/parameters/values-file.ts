import type { BuildParameter } from "@slipway/api/builds/build";

import { UsageError } from "../../command/errors.ts";

/**
 * Parses a YAML file of `name: value` lines. Texts, numbers and booleans are taken as written, even `1.10` and `on`; a
 * list becomes JSON, as the server expects. `path` is for errors. Throws `UsageError`.
 */
export async function parseValuesFile(text: string, path: string): Promise<BuildParameter[]> {
  const { parse, YAMLParseError } = await import("yaml");
  let parsed: unknown;
  try {
    // The failsafe schema knows texts, lists and maps only.
    parsed = parse(text, { schema: "failsafe", maxAliasCount: 0 });
  } catch (error) {
    if (!(error instanceof YAMLParseError || error instanceof ReferenceError)) throw error;
    throw new UsageError(`${path} is not valid YAML: ${error.message.split("\n")[0] ?? ""}`);
  }
  if (parsed === null || parsed === undefined || parsed === "") return [];
  if (typeof parsed !== "object" || Array.isArray(parsed)) {
    throw new UsageError(
      `${path} is not a map of names to values, wanted lines such as size: large`,
    );
  }
  return Object.entries(parsed).map(([name, value]) => ({
    name,
    value: valueOf(value, name, path),
  }));
}

function valueOf(value: unknown, name: string, path: string): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return JSON.stringify(value);
  }
  throw new UsageError(`${path} sets ${name} to a map, wanted a text or a list of texts`);
}
