import { quoted } from "./quoted.ts";

/** Explains why a text is not a web address, or returns nothing. */
export function webUrlProblem(value: string): string | undefined {
  return isWebUrl(value)
    ? undefined
    : `found ${quoted(value)}, wanted an address that starts with http:// or https://`;
}

export function isWebUrl(value: string): boolean {
  return /^https?:\/\/[^/]/.test(value) && URL.canParse(value);
}

/** Explains why people cannot open an address, or returns nothing. */
export function addressProblem(value: string): string | undefined {
  const url = URL.parse(value);
  if (url === null)
    return `found ${quoted(value)}, wanted an address such as http://localhost:8080`;
  // The dashboard makes links of them. The parsed address counts, as browsers ignore blanks and line ends.
  if (programSchemes.has(url.protocol))
    return `found ${quoted(value)}, wanted an address that is not a program`;
  return undefined;
}

const programSchemes: ReadonlySet<string> = new Set([
  "javascript:",
  "data:",
  "vbscript:",
  "file:",
  "blob:",
  "filesystem:",
  "view-source:",
]);

interface AppAddress {
  readonly url: string;
  readonly isExternal: boolean;
}

/** Explains why the address of an app cannot be opened, or returns nothing. */
export function appUrlProblem(app: AppAddress): string | undefined {
  return addressProblem(app.url) ?? schemeProblem(app);
}

/**
 * Explains why a scheme is unusable, or returns nothing: the server itself opens apps that are not external, by HTTP.
 */
export function schemeProblem({ url, isExternal }: AppAddress): string | undefined {
  if (isExternal || /^https?:/i.test(url)) return undefined;
  return `found the address ${quoted(url)}, wanted one that starts with http:// or https://, or \`external: true\``;
}
