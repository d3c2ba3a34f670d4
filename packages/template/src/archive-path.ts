import { maxPathLength } from "./limits.ts";

/** Returns the path of an archive's entry without `./` and empty parts, or the reason for refusing it. */
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

/** Explains why a link is not permitted in an archive, whose links must lead to other entries; undefined if it is. */
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

/** An entry of an archive, by its path without empty parts. */
export interface ArchiveEntry {
  readonly path: string;
  /** The target of a link; by itself it leads to a place within the archive. */
  readonly link: { readonly type: "link" | "symlink"; readonly target: string } | undefined;
}

/**
 * Explains why the entries are not permitted together; undefined if they are. Below a link, an entry or the target of
 * another link is not where its path says, and `..` leads away from there.
 */
export function throughLinkProblem(entries: readonly ArchiveEntry[]): string | undefined {
  const root: Place = { isLink: false, below: new Map() };
  for (const { path, link } of entries) {
    if (link !== undefined) placeOf(root, path).isLink = true;
  }
  for (const { path, link } of entries) {
    const parents = path.split("/").slice(0, -1);
    if (walk([root], parents).passesLink) {
      return `found ${path} below a link, wanted links that lead to files or directories only`;
    }
    if (link === undefined) continue;
    const { type, target } = link;
    const start = type === "symlink" ? walk([root], parents).places : [root];
    const parts = split(target).filter((part) => part !== "" && part !== ".");
    // A hard link to a symbolic one is a copy of it, which leads elsewhere.
    if (walk(start, type === "symlink" ? parts.slice(0, -1) : parts).passesLink) {
      const shown = JSON.stringify(target.slice(0, 100));
      return `found a link from ${path} to ${shown} through another link, wanted the path itself`;
    }
  }
  return undefined;
}

/** A place on the path to a link; other places are not kept. */
interface Place {
  isLink: boolean;
  readonly below: Map<string, Place>;
}

function placeOf(root: Place, path: string): Place {
  let at = root;
  for (const part of path.split("/")) {
    const next = at.below.get(keyOf(part)) ?? { isLink: false, below: new Map<string, Place>() };
    at.below.set(keyOf(part), next);
    at = next;
  }
  return at;
}

/** Follows the parts of a path from the last of the places, and reports whether one of them is a link. */
function walk(
  start: readonly (Place | undefined)[],
  parts: readonly string[],
): { readonly places: readonly (Place | undefined)[]; readonly passesLink: boolean } {
  const places = [...start];
  let passesLink = false;
  for (const part of parts) {
    if (part === "..") places.pop();
    else places.push(places.at(-1)?.below.get(keyOf(part)));
    passesLink ||= places.at(-1)?.isLink === true;
  }
  return { places, passesLink };
}

/** Returns a key that ignores case, because many systems treat names that differ only in case as one file. */
function keyOf(part: string): string {
  return part.normalize("NFC").toLowerCase();
}

function isAbsolute(path: string): boolean {
  return /^([/\\]|[A-Za-z]:)/.test(path);
}

/** Splits at backslashes too, which separate when unpacking on Windows. */
function split(path: string): readonly string[] {
  return path.split(/[/\\]/);
}
