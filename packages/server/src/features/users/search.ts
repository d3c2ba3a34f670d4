import { roleNames } from "@slipway/api/users/user";

import { type Invalid, invalidField } from "../../platform/errors/errors.ts";

const statuses = ["active", "dormant", "suspended"] as const;
const loginTypes = ["password", "oidc", "github", "none"] as const;

/** A search for users; every word and every key narrows it. */
export interface UserSearch {
  /** Parts of the name, the username or the address. */
  readonly words: readonly string[];
  readonly status: (typeof statuses)[number] | undefined;
  readonly role: (typeof roleNames)[number] | undefined;
  readonly loginType: (typeof loginTypes)[number] | undefined;
}

/** Parses a search such as `ann status:active`; throws an `Invalid` that names the problem. */
export function parseUserSearch(query: string): UserSearch {
  const words: string[] = [];
  const keys = new Map<string, string>();
  for (const term of query.toLowerCase().match(/"[^"]*"|[^\s"]+/g) ?? []) {
    const colon = term.startsWith('"') ? -1 : term.indexOf(":");
    if (colon === -1) words.push(term.replaceAll('"', ""));
    else keys.set(term.slice(0, colon), term.slice(colon + 1));
  }
  for (const key of keys.keys()) {
    if (!["search", "status", "role", "login_type"].includes(key)) {
      throw invalidSearch(
        key,
        `"${key}" is not a valid key; valid keys are search, status, role, login_type`,
      );
    }
  }
  const word = keys.get("search");
  return {
    words: word === undefined ? words : [...words, word],
    status: choose("status", keys.get("status"), statuses),
    role: choose("role", keys.get("role"), roleNames),
    loginType: choose("login_type", keys.get("login_type"), loginTypes),
  };
}

function choose<V extends string>(
  key: string,
  text: string | undefined,
  values: readonly V[],
): V | undefined {
  if (text === undefined) return undefined;
  const value = values.find((candidate) => candidate === text);
  if (value !== undefined) return value;
  throw invalidSearch(key, `must be one of ${values.join(", ")}, found "${text}"`);
}

function invalidSearch(field: string, detail: string): Invalid {
  return invalidField(field, detail, "Invalid user search query.");
}
