import type { Mutant } from "../mutant.ts";
import { lists, statuses } from "./suites.ts";

const users = "packages/server/src/features/users";
const rights = "packages/server/src/platform/auth/rights.ts";

/** Holes in the rights to see and change users, their keys and their tokens. */
export const userHoles: readonly Mutant[] = [
  {
    name: "acts-for-anybody",
    breaks: "whoever may see a user reads their tokens and keys",
    file: `${users}/service.ts`,
    find: "  if (!mayActFor(caller, found.id)) throw notFound();\n",
    replace: "",
    suite: statuses,
  },
  {
    name: "sees-any-user",
    breaks: "a member reads any user",
    file: `${users}/service.ts`,
    find: "found === undefined || (found.id !== caller.id && !maySeeUsers(caller))",
    replace: "found === undefined",
    suite: statuses,
  },
  {
    name: "lists-all-users",
    breaks: "a member lists every user",
    file: `${users}/list-service.ts`,
    find: "maySeeUsers(caller) ? undefined : caller.id",
    replace: "undefined",
    suite: lists,
  },
  {
    name: "lists-all-members",
    breaks: "a member lists every member of an organization",
    file: "packages/server/src/features/organizations/service.ts",
    find: "maySeeUsers(caller) ? undefined : caller.id",
    replace: "undefined",
    suite: lists,
  },
  {
    name: "tokens-of-everybody",
    breaks: "include_all gives everybody the tokens of all users",
    file: `${users}/token-service.ts`,
    find: "options.includeAll && isOwnerRole(caller)",
    replace: "options.includeAll",
    suite: lists,
  },
  {
    name: "anybody-creates-users",
    breaks: "a member creates users",
    file: `${users}/change-service.ts`,
    find: "if (!mayCreateUsers(caller)) throw",
    replace: "if (caller.id === '') throw",
    suite: statuses,
  },
  {
    name: "anybody-gives-roles",
    breaks: "a user admin gives roles, their own among them",
    file: `${users}/change-service.ts`,
    find: "if (!isOwnerRole(caller)) throw",
    replace: "if (caller.id === '') throw",
    suite: statuses,
  },
  {
    name: "whoever-sees-users-changes-them",
    breaks: "an auditor suspends and deletes users",
    file: `${users}/change-service.ts`,
    find: "  if (mayChangeUser(caller, user)) return;",
    replace: "  if (mayChangeUser(caller, user) || caller.id !== user.id) return;",
    suite: statuses,
  },
  {
    name: "user-admin-reads-audit",
    breaks: "user admins read the audit trail",
    file: rights,
    find: '"user-admin": ["users:read", "users:write"]',
    replace: '"user-admin": ["users:read", "users:write", "audit:read"]',
    suite: statuses,
  },
  {
    name: "auditor-sees-workspaces",
    breaks: "auditors see every workspace",
    file: rights,
    find: 'auditor: ["users:read", "audit:read"]',
    replace: 'auditor: ["users:read", "audit:read", "workspaces:read"]',
    suite: statuses,
  },
  {
    name: "template-admin-changes-users",
    breaks: "template admins create and change users",
    file: rights,
    find: '"template-admin": ["users:read", ',
    replace: '"template-admin": ["users:read", "users:write", ',
    suite: statuses,
  },
  {
    name: "anybody-reads-audit",
    breaks: "a member reads the audit trail",
    file: "packages/server/src/features/audit/list-service.ts",
    find: "if (!mayReadAudit(caller)) throw",
    replace: "if (caller.id === '') throw",
    suite: statuses,
  },
  {
    name: "anybody-reads-configuration",
    breaks: "a member reads the configuration of the deployment",
    file: "packages/server/src/features/deployment/routes.ts",
    find: "if (!isOwnerRole(user)) throw notFound();",
    replace: "if (user.id === '') throw notFound();",
    suite: statuses,
  },
];
