const base = "http://server";

/** Returns a path of this server with its query, in the form of a URL; `/` for anything that leads elsewhere. */
export function localPath(text: string): string {
  // Some browsers treat a backslash as a slash, and skip tabs and line breaks.
  if (!text.startsWith("/") || /^\/[/\\]|\p{Cc}/u.test(text)) return "/";
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  // Without its dots a path may begin with two slashes.
  if (url?.origin !== base || url.pathname.startsWith("//")) return "/";
  return `${url.pathname}${url.search}`;
}
