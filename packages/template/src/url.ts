import { quote } from "./quote.ts";

/** Explains why a text is not an http(s) URL; undefined if it is. */
export function webUrlProblem(value: string): string | undefined {
  return isWebUrl(value)
    ? undefined
    : `found ${quote(value)}, wanted a URL that starts with http:// or https://`;
}

export function isWebUrl(value: string): boolean {
  return /^https?:\/\/[^/]/.test(value) && URL.canParse(value);
}

/** Explains why users cannot open a URL; undefined if they can. */
export function urlProblem(value: string): string | undefined {
  const url = URL.parse(value);
  if (url === null) return `found ${quote(value)}, wanted a URL such as http://localhost:8080`;
  // The dashboard turns them into links. The parsed URL counts, because browsers ignore blanks and line ends.
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

/** Explains why the URL of an app cannot be opened; undefined if it can. */
export function appUrlProblem(app: AppUrl): string | undefined {
  return urlProblem(app.url) ?? schemeProblem(app);
}

/**
 * Explains why a scheme cannot be used; undefined if it can. The server itself opens apps that are not external, over
 * HTTP.
 */
export function schemeProblem({ url, isExternal }: AppUrl): string | undefined {
  if (isExternal || /^https?:/i.test(url)) return undefined;
  return `found the URL ${quote(url)}, wanted one that starts with http:// or https://, or \`external: true\``;
}
