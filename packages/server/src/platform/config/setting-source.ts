/** Settings by variable name; flags of the same names have been merged in by the caller. */
export type SettingSource = Readonly<Record<string, string | undefined>>;

/** Reports an invalid setting; `wanted` completes "must be …". */
export type Report = (name: string, wanted: string) => undefined;

export const webProtocols = ["http:", "https:"] as const;

/** Reads one of a few words. */
export function readChoice<const C extends string>(
  source: SettingSource,
  name: string,
  choices: readonly C[],
  fallback: C,
  report: Report,
): C {
  const text = source[name];
  if (text === undefined || text === "") return fallback;
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) report(name, `one of ${choices.join(", ")}`);
  return choice ?? fallback;
}

/** Reads a URL of one of these protocols; undefined if there is none. */
export function readUrl(
  source: SettingSource,
  name: string,
  protocols: readonly string[],
  report: Report,
): string | undefined {
  const text = source[name];
  if (text === undefined || text === "") return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && protocols.includes(url.protocol)) return text;
  return report(name, `a URL that begins with ${protocols.map((p) => `${p}//`).join(" or ")}`);
}

/** Removes the password from an address. */
export function withoutPassword(text: string): string {
  return text.replace(/^(.*\/\/)?.*@/, "$1***@");
}

/** An invalid configuration; reports all its faults together. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "bad-configuration";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}
