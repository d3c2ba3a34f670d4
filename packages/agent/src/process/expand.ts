import { isAbsolute, join } from "node:path";

type Variables = Readonly<Record<string, string | undefined>>;

/** Replaces `$NAME` and `${NAME}`; an unknown name becomes empty, any other `$` stays. */
export function expandVariables(text: string, environment: Variables): string {
  return text.replaceAll(
    /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g,
    (_match, braced: string | undefined, bare: string | undefined) =>
      environment[braced ?? bare ?? ""] ?? "",
  );
}

/** Expands a leading `~` and the variables of a path; a relative path is below `base`. Empty stays empty. */
export function expandPath(
  path: string,
  options: { readonly home: string; readonly base: string; readonly environment: Variables },
): string {
  if (path === "") return "";
  const isHome = path === "~" || path.startsWith("~/");
  const expanded = expandVariables(
    isHome ? options.home + path.slice(1) : path,
    options.environment,
  );
  return isAbsolute(expanded) ? expanded : join(options.base, expanded);
}
