import type { UserCaller } from "../http/caller.ts";
import { HttpError } from "../http/errors.ts";

/** A search for workspaces, as it was asked. */
export interface WorkspaceSearch {
  /** A username, or `me`. */
  readonly owner: string | undefined;
  readonly name: string | undefined;
}

/** Reads `owner:x`, `name:y` and bare words, which mean a part of the name (`clients.md` section 6.1). */
export function parseSearch(q: string): WorkspaceSearch {
  let owner: string | undefined;
  let name: string | undefined;
  for (const term of q.split(/\s+/)) {
    if (term === "") continue;
    const [, key, value = ""] = /^([a-z_]+):"?([^"]*)"?$/.exec(term) ?? [undefined, "name", term];
    switch (key) {
      case "owner":
        owner = value;
        break;
      case "name":
        name = value;
        break;
      default:
        throw new HttpError(400, "Invalid workspace search query.", {
          validations: [{ field: key ?? "q", detail: `"${key}" is not a valid query param` }],
        });
    }
  }
  return { owner, name };
}

/** Whether a search names its caller's own workspaces. */
export function isOwn(search: WorkspaceSearch, caller: UserCaller): boolean {
  return search.owner === "me" || search.owner?.toLowerCase() === caller.username.toLowerCase();
}
