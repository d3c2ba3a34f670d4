import { maxPathLength } from "./limits.ts";

/** Returns the path of an archive's entry without `./` and empty parts, or the reason that it is not permitted. */
export function entryPath(name: string): string | { readonly problem: string } {
  const shown = JSON.stringify(name.slice(0, 100));
  const fail = (message: string) => ({ problem: `found the path ${shown}, wanted ${message}` });
  if (name.length > maxPathLength) return fail(`at most ${maxPathLength} characters`);
  if (name.includes("\0") || !name.isWellFormed()) return fail("one without NUL");
  if (isAbsolute(name)) return fail("one that is relative to the template");
  const parts = split(name).filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) return fail("one without `..`");
  return parts.join("/");
}

/** Explains why a link is not permitted in an archive, or returns nothing: its target must be in the archive too. */
export function linkProblem(
  path: string,
  target: string,
  type: "link" | "symlink",
): string | undefined {
  const problem = `found a link from ${path} to ${JSON.stringify(target.slice(0, 100))}, wanted links within the template only`;
  if (target === "" || target.length > maxPathLength || isAbsolute(target)) return problem;
  // A symbolic link is relative to its own folder, a hard link to the top.
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

/** Backslashes separate too, for those who unpack on Windows. */
function split(path: string): readonly string[] {
  return path.split(/[/\\]/);
}
