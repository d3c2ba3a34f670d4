import { quote } from "./quote.ts";

/** Explains why a text is not an http(s) URL, or returns nothing. */
export function webUrlProblem(value: string): string | undefined {
  return isWebUrl(value)
    ? undefined
    : `found ${quote(value)}, wanted a URL that starts with http:// or https://`;
}

export function isWebUrl(value: string): boolean {
  return /^https?:\/\/[^/]/.test(value) && URL.canParse(value);
}

/** Explains why users cannot open a URL, or returns nothing. */
export function urlProblem(value: string): string | undefined {
  const url = URL.parse(value);
  if (url === null) return `found ${quote(value)}, wanted a URL such as http://localhost:8080`;
  // The dashboard makes links of them. The parsed URL counts, as browsers ignore blanks and line ends.
  if (programSchemes.has(url.protocol))
    return `found ${quote(value)}, wanted a URL that does not run code`;
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

interface AppUrl {
  readonly url: string;
  readonly isExternal: boolean;
}

/** Explains why the URL of an app cannot be opened, or returns nothing. */
export function appUrlProblem(app: AppUrl): string | undefined {
  return urlProblem(app.url) ?? schemeProblem(app);
}

/**
 * Explains why a scheme cannot be used, or returns nothing: the server itself opens apps that are not external, by HTTP.
 */
export function schemeProblem({ url, isExternal }: AppUrl): string | undefined {
  if (isExternal || /^https?:/i.test(url)) return undefined;
  return `found the URL ${quote(url)}, wanted one that starts with http:// or https://, or \`external: true\``;
}
