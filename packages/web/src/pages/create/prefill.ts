/** The values that an address fills in: `name`, `preset`, `version`, and each `param.<name>`. */
export interface Prefill {
  readonly name?: string;
  readonly preset?: string;
  readonly version?: string;
  readonly [parameter: `param.${string}`]: string;
}

/** Reads what an address fills in; other fields are left out. */
export function readPrefill(search: Readonly<Record<string, unknown>>): Prefill {
  const known = Object.entries(search).filter(
    ([key, value]) =>
      (["name", "preset", "version"].includes(key) || key.startsWith("param.")) &&
      ["string", "number", "boolean"].includes(typeof value),
  );
  return Object.fromEntries(known.map(([key, value]) => [key, String(value)]));
}

/** Returns the values of parameters that an address fills in. */
export function prefilledValues(prefill: Prefill): Readonly<Record<string, string>> {
  const prefix = "param.";
  return Object.fromEntries(
    Object.entries(prefill)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}
