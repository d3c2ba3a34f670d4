import { maxLineLength } from "./limits.ts";
import { quote } from "./quote.ts";

/** Directories of a container that belong to the system or to Slipway. */
const reserved = ["/.slipway", "/proc", "/sys", "/dev"];

/** Explains why nothing can be mounted at a path of a container; undefined if it can. */
export function mountPathProblem(path: string): string | undefined {
  const wanted =
    "an absolute path such as /home/dev, without `.`, `..`, `:`, commas or a final slash";
  if (path.length > maxLineLength || !isPlainPath(path)) {
    return `found ${quote(path)}, wanted ${wanted}`;
  }
  const owner = reserved.find((one) => isWithin(path, one));
  if (owner === undefined) return undefined;
  return `found ${quote(path)}, wanted a path outside ${owner}, which the container needs itself`;
}

/** Finds a pair of paths of which the second is the first or below it; undefined if there is none. */
export function nestedPaths(paths: readonly string[]): readonly [string, string] | undefined {
  for (const [index, path] of paths.entries()) {
    for (const other of paths.slice(index + 1)) {
      if (isWithin(other, path)) return [path, other];
      if (isWithin(path, other)) return [other, path];
    }
  }
  return undefined;
}

/** Explains why a path does not lead to a file of the template; undefined if it does. */
export function templatePathProblem(path: string): string | undefined {
  const parts = path.split("/");
  const isInside =
    path.length <= maxLineLength &&
    !/[\\:\p{Cc}]/u.test(path) &&
    (path === "." || parts.every((part) => part !== "" && part !== "." && part !== ".."));
  if (isInside) return undefined;
  return `found ${quote(path)}, wanted a path relative to slipway.yaml such as docker/Dockerfile, without \`.\`, \`..\` or a final slash`;
}

function isPlainPath(path: string): boolean {
  const [first, ...parts] = path.split("/");
  return (
    first === "" &&
    parts.length > 0 &&
    !/[\\:,\p{Cc}]/u.test(path) &&
    parts.every((part) => part !== "" && part !== "." && part !== "..")
  );
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
