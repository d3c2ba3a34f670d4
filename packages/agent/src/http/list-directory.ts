import { readdir } from "node:fs/promises";
import { isAbsolute, join, normalize, sep } from "node:path";

import { errorText, systemErrorCode } from "@slipway/runtime";

import { fileTurns } from "../process/turns.ts";
import { ApiError } from "./errors.ts";

/** All requests share one turn: connections cost nothing. */
const owner = {};
/** The maximum number of entries to list of a directory. */
const maxEntries = 10_000;

interface DirectoryEntry {
  readonly name: string;
  readonly absolute_path_string: string;
  readonly is_dir: boolean;
}

export interface DirectoryListing {
  readonly absolute_path: readonly string[];
  readonly absolute_path_string: string;
  readonly contents: readonly DirectoryEntry[];
}

/** Lists a directory named by the query or the body (docs/protocol/agent.md §8.3). Throws `ApiError`. */
export async function listDirectory(
  query: URLSearchParams,
  body: unknown,
  home: string,
): Promise<DirectoryListing> {
  const path = wantedPath(query.get("path"), body, home);
  try {
    const found = await fileTurns.run(owner, () => readdir(path, { withFileTypes: true }));
    const contents = found.slice(0, maxEntries).map((entry) => ({
      name: entry.name,
      absolute_path_string: join(path, entry.name),
      is_dir: entry.isDirectory(),
    }));
    return {
      absolute_path: path.split(sep).filter((name) => name !== ""),
      absolute_path_string: path,
      contents: contents.toSorted(
        (one, other) =>
          Number(other.is_dir) - Number(one.is_dir) || (one.name < other.name ? -1 : 1),
      ),
    };
  } catch (error) {
    throw new ApiError(statusOf(error), "The directory cannot be listed.", {
      detail: errorText(error),
    });
  }
}

function wantedPath(path: string | null, body: unknown, home: string): string {
  if (path !== null && path !== "") {
    if (!isAbsolute(path)) throw new ApiError(500, "The path is not absolute.");
    return normalize(path);
  }
  const { path: parts = [], relativity } = bodyFields(body);
  if (!Array.isArray(parts) || !parts.every((part) => typeof part === "string")) {
    throw new ApiError(400, "The path is not a list of names.");
  }
  switch (relativity) {
    case "home":
      return join(home, ...parts);
    case "root":
      return join(sep, ...parts);
    default:
      throw new ApiError(500, "The relativity is neither home nor root.");
  }
}

function bodyFields(body: unknown): { readonly path?: unknown; readonly relativity?: unknown } {
  if (typeof body === "object" && body !== null) return body;
  throw new ApiError(400, "The request has no JSON object as its body.");
}

function statusOf(error: unknown): number {
  const code = systemErrorCode(error) ?? "";
  if (code === "ENOENT") return 404;
  return ["EACCES", "EPERM"].includes(code) ? 403 : 500;
}
