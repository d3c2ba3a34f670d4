import type { Mutant } from "../mutant.ts";
import { tokens as suite } from "./suites.ts";

const auth = "packages/server/src/platform/auth";
const service = "packages/server/src/features/users/token-service.ts";

/** Holes in the access of limited tokens, and in the lifetime of tokens. */
export const tokenHoles: readonly Mutant[] = [
  {
    name: "scopes-are-ignored",
    breaks: "a token opens routes that its scopes do not name",
    file: `${auth}/key-limits.ts`,
    find: `grant.scopes.includes("coder:all") || openingScope(grant, route) !== undefined`,
    replace: `grant.scopes.length > 0 || openingScope(grant, route) !== undefined`,
    suite,
  },
  {
    name: "bodies-are-not-looked-at",
    breaks: "a token for one template makes workspaces of any other that the body names",
    file: `${auth}/key-limits.ts`,
    find: "    if (text === undefined) continue;",
    replace: `    if (text === undefined || place === "body") continue;`,
    suite,
  },
  {
    name: "paths-are-not-looked-at",
    breaks: "a token for one workspace opens any other",
    file: `${auth}/key-limits.ts`,
    find: "    if (text === undefined) continue;",
    replace: `    if (text === undefined || place === "params") continue;`,
    suite,
  },
  {
    name: "lists-are-open",
    breaks: "a token for one workspace lists all",
    file: `${auth}/key-limits.ts`,
    find: "  if (!isOwnTypeNamed) requireEntry(allowList, `${ownType}:*`);\n",
    replace: "",
    suite,
  },
  {
    name: "start-opens-stop",
    breaks: "a token that may start workspaces stops and deletes them",
    file: `${auth}/key-limits.ts`,
    find: "  if (holdsScope(grant.scopes, scope)) return;",
    replace: "  if (grant.scopes.length > 0) return;",
    suite,
  },
  {
    name: "composites-hand-on-all",
    breaks: "a limited token makes one that opens more",
    file: `${auth}/grants.ts`,
    find: "every((part) => holdsScope(grant.scopes, part))",
    replace: "every((part) => part !== '')",
    suite,
  },
  {
    name: "update-reads-credentials",
    breaks: "a token that may change workspaces reads the tokens of their agents",
    file: "packages/api/src/workspaces/external-agent-routes.ts",
    find: `scopes: ["user_secret:read"]`,
    replace: `scopes: ["user_secret:read", "workspace:update"]`,
    suite,
  },
  {
    name: "present-limit-is-ignored",
    breaks: "a member's token of a hundred years outlives a promotion to owner",
    file: `${auth}/token-lifetime.ts`,
    find: `case when 'owner' = any("user".roles) then`,
    replace: `case when false then`,
    suite,
  },
  {
    name: "tokens-outlive-their-maker",
    breaks: "a token makes another one that lives longer",
    file: service,
    find: "grant.secondsLeft === undefined ? Infinity : Math.max(grant.secondsLeft - 1, 0)",
    replace: "Infinity",
    suite,
  },
  {
    name: "tokens-make-sessions",
    breaks: "a token makes a session, which lives on while it is used",
    file: service,
    find: "if (secondsLeft !== undefined) {",
    replace: "if (caller.id === '' && secondsLeft !== undefined) {",
    suite,
  },
];
