import type { BuildParameter } from "@slipway/api/builds/build";

import { UsageError } from "../../command/errors.ts";

/** Reads the values of a flag such as `--parameter name=value`; the last one of a name counts. Throws `UsageError`. */
export function readParameters(texts: readonly string[], flag: string): BuildParameter[] {
  const values = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError(`${flag} "${text}" has no name and value, wanted name=value`);
    values.set(text.slice(0, at), text.slice(at + 1));
  }
  return [...values].map(([name, value]) => ({ name, value }));
}

/** Throws `UsageError` for a value whose parameter the template does not have. */
export function checkParameterNames(
  values: readonly BuildParameter[],
  known: readonly string[],
): void {
  for (const { name } of values) {
    if (known.includes(name)) continue;
    const wanted = known.length === 0 ? "it has none" : `wanted one of ${known.join(", ")}`;
    throw new UsageError(`the template has no parameter "${name}": ${wanted}`);
  }
}
