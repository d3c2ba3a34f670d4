import { maxPathLength } from "./limits.ts";

/** The path of an archive's entry without `./` and empty parts, or why it may not be there. */
export function entryPath(name: string): string | { readonly problem: string } {
  const shown = JSON.stringify(name.slice(0, 100));
  const fail = (message: string) => ({ problem: `found the path ${shown}, wanted ${message}` });
  if (name.length > maxPathLength) return fail(`at most ${maxPathLength} characters`);
  if (name.includes("\0") || !name.isWellFormed()) return fail("text without NUL");
  if (isAbsolute(name)) return fail("one that is relative to the template");
  const parts = split(name).filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) return fail("one without `..`");
  return parts.join("/");
}

/** Says why a link may not be in an archive, or nothing: what it names must be in the archive too. */
export function linkProblem(
  path: string,
  target: string,
  type: "link" | "symlink",
): string | undefined {
  const problem = `found a link from ${path} to ${JSON.stringify(target.slice(0, 100))}, wanted links within the template only`;
  if (target === "" || target.length > maxPathLength || isAbsolute(target)) return problem;
  // A symbolic link counts from its own folder, a hard link from the top.
  let depth = type === "symlink" ? path.split("/").length - 1 : 0;
  for (const part of split(target)) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return problem;
  }
  return undefined;
}

function isAbsolute(path: string): boolean {
  return /^([/\\]|[A-Za-z]:)/.test(path);
}

/** Backslashes separate too, for whoever unpacks on Windows. */
function split(path: string): readonly string[] {
  return path.split(/[/\\]/);
}
