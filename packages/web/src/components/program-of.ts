/** Programs by what their `User-Agent` says, the more particular first. */
const programs: readonly (readonly [sign: RegExp, name: string])[] = [
  [/\bEdg\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bFirefox\//, "Firefox"],
  [/Chrom(e|ium)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
  [/^slipway\b/i, "The slipway command"],
  [/^coder\b/i, "The coder command"],
];
const systems: readonly (readonly [sign: RegExp, name: string])[] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Mac OS X|Macintosh|Darwin/, "macOS"],
  [/Windows/, "Windows"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
];

/** Returns the program of a `User-Agent` as a person knows it, such as "Firefox on Linux". */
export function programOf(userAgent: string): string {
  const program = programs.find(([sign]) => sign.test(userAgent))?.[1];
  if (program === undefined) return userAgent === "" ? "Unknown program" : userAgent.slice(0, 60);
  const system = systems.find(([sign]) => sign.test(userAgent))?.[1];
  return system === undefined ? program : `${program} on ${system}`;
}
