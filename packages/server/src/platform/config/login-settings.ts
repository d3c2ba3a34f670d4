import { type RoleName, roleNames } from "@slipway/api/users/user";
import { parseObject, textsOf } from "@slipway/runtime";

import {
  isProviderId,
  type NumberedForm,
  type NumberedReader,
  numberedReaders,
} from "./numbered-settings.ts";
import type { Report, SettingSource } from "./setting-source.ts";

/** The roles of users by the values of a claim. */
export type RoleMapping = ReadonlyMap<string, readonly RoleName[]>;

/** The claims from which a user is read. Nested ones are named with dots, as in `realm_access.roles`. */
export interface ClaimNames {
  readonly username: string;
  readonly email: string;
  readonly name: string;
  readonly groups: string;
}

/** A provider at which users log in to the server (docs/login.md). */
export interface LogInProvider {
  readonly id: string;
  readonly type: "oidc" | "github";
  readonly displayName: string;
  readonly displayIcon: string;
  /** The issuer of OpenID Connect, or the address of GitHub. */
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined for a public client. */
  readonly clientSecret: string | undefined;
  readonly clientAuth: "post" | "basic";
  readonly scopes: readonly string[];
  /** `open`: everyone whom it lets in gets an account. `invited`: an administrator creates accounts first. */
  readonly signups: "open" | "invited";
  /** The domains of verified email addresses, in lower case; empty for any. */
  readonly allowedDomains: readonly string[];
  /** GitHub organizations, and teams as `organization/team`, in lower case; one suffices; empty for any. */
  readonly allowedGroups: readonly string[];
  readonly claims: ClaimNames;
  /** Undefined: roles are assigned on the server. */
  readonly roleMapping: RoleMapping | undefined;
  /** True if users without a mapped value are refused. */
  readonly needsMappedRole: boolean;
  /** True if an email address counts as verified although the provider does not say so. */
  readonly trustsEmail: boolean;
  /** True if a logout here also ends the session at the provider. */
  readonly logsOut: boolean;
}

const keys = {
  ID: "name of the provider in URLs and commands (default: the type)",
  TYPE: "kind of provider: oidc or github (default: oidc)",
  ISSUER: "issuer URL, or the address of a GitHub server",
  CLIENT_ID: "id of the client",
  CLIENT_SECRET: "secret of the client",
  CLIENT_AUTH: "how the secret is sent: post or basic (default: post)",
  SCOPES: "scopes of a login",
  DISPLAY_NAME: "name on the login page",
  DISPLAY_ICON: "path or URL of the icon",
  SIGNUPS: "who gets an account at the first login: invited or open (default: invited)",
  ALLOWED_DOMAINS: "domains of email addresses that may log in (default: any)",
  ALLOWED_ORGANIZATIONS: "GitHub organizations that may log in (default: any)",
  ALLOWED_TEAMS: "GitHub teams that may log in (default: any)",
  USERNAME_CLAIM: "claim with the username",
  EMAIL_CLAIM: "claim with the email address",
  NAME_CLAIM: "claim with the person's name",
  GROUPS_CLAIM: "claim with the groups",
  ROLE_MAPPING: "JSON that maps groups to roles",
  REQUIRE_MAPPED_ROLE: "refuse people none of whose groups is mapped",
  TRUST_EMAIL: "treat email addresses as verified although the provider does not say so",
  LOGOUT: "also end the session at the provider when a user logs out",
} as const;
type Key = keyof typeof keys;

export const logInForm = {
  prefixes: ["SLIPWAY_LOGIN"],
  keys,
  max: 16,
  noun: "login providers",
} as const satisfies NumberedForm<Key>;
const secretForm = /^SLIPWAY_LOGIN_\d{1,3}_CLIENT_SECRET$/;

/** Returns whether a variable holds the secret of a login provider. */
export function isLogInSecret(name: string): boolean {
  return secretForm.test(name);
}

/** Reads the numbered login providers. */
export function readLogInProviders(
  source: SettingSource,
  report: Report,
): readonly LogInProvider[] {
  const providers: LogInProvider[] = [];
  for (const reader of numberedReaders(logInForm, source, report)) {
    const provider = readProvider(reader);
    if (provider === undefined) continue;
    const isTaken = providers.some(({ id }) => id === provider.id);
    // The issuer tells users apart.
    const isSame = providers.some(({ issuer }) => issuer === provider.issuer);
    if (isTaken) reader.report("ID", "an id that no other login provider has");
    else if (isSame) reader.report("ISSUER", "an issuer that no other login provider has");
    else providers.push(provider);
  }
  return providers;
}

type Reader = NumberedReader<Key>;

const types = ["oidc", "github"] as const;
const githubUrl = "https://github.com";
const usualScopes = {
  oidc: ["openid", "profile", "email"],
  github: ["read:user", "user:email", "read:org"],
} as const;

function readProvider(reader: Reader): LogInProvider | undefined {
  const type = reader.choice("TYPE", types, "oidc");
  const id = reader.text("ID") ?? type;
  if (!isProviderId(id)) reader.report("ID", "a name of letters, digits and single dashes");
  const issuer = readIssuer(reader, type);
  const clientId = reader.text("CLIENT_ID") ?? reader.report("CLIENT_ID", "the id of a client");
  const provider = {
    id,
    type,
    displayName: reader.text("DISPLAY_NAME") ?? (type === "github" ? "GitHub" : id),
    displayIcon: reader.text("DISPLAY_ICON") ?? (type === "github" ? "/icon/github.svg" : ""),
    clientSecret: readSecret(reader, type),
    clientAuth: reader.choice("CLIENT_AUTH", ["post", "basic"], "post"),
    scopes: readScopes(reader, type),
    signups: reader.choice("SIGNUPS", ["invited", "open"], "invited"),
    allowedDomains: readDomains(reader),
    allowedGroups: readGroups(reader, type),
    claims: readClaims(reader, type),
    roleMapping: readMapping(reader),
    needsMappedRole: reader.isTrue("REQUIRE_MAPPED_ROLE"),
    trustsEmail: reader.isTrue("TRUST_EMAIL"),
    logsOut: reader.isTrue("LOGOUT"),
  };
  if (provider.needsMappedRole && provider.roleMapping === undefined && !reader.hasProblem) {
    reader.report("REQUIRE_MAPPED_ROLE", "false without ROLE_MAPPING");
  }
  if (reader.hasProblem || issuer === undefined || clientId === undefined) return undefined;
  return { ...provider, issuer, clientId };
}

const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

function readIssuer(reader: Reader, type: LogInProvider["type"]): string | undefined {
  const text = reader.url("ISSUER") ?? (type === "github" ? githubUrl : undefined);
  const url = text === undefined ? null : URL.parse(text);
  const isProtected = url?.protocol === "https:" || loopback.test(url?.hostname ?? "");
  if (url !== null && isProtected && url.search === "") {
    return type === "github" ? url.href.replace(/\/+$/, "") : text;
  }
  if (reader.hasProblem && text === undefined) return undefined;
  return reader.report("ISSUER", "the URL of an issuer, over https except on this machine");
}

/** GitHub has no public clients; other providers may. */
function readSecret(reader: Reader, type: LogInProvider["type"]): string | undefined {
  const secret = reader.text("CLIENT_SECRET");
  if (type === "github" && secret === undefined && !reader.hasProblem) {
    reader.report("CLIENT_SECRET", "the secret of the client");
  }
  return secret;
}

function readScopes(reader: Reader, type: LogInProvider["type"]): readonly string[] {
  const scopes = reader.list("SCOPES", usualScopes[type]);
  if (type === "oidc" && !scopes.includes("openid")) {
    reader.report("SCOPES", "scopes with openid among them");
  }
  return scopes;
}

function readDomains(reader: Reader): readonly string[] {
  const domains = reader.list("ALLOWED_DOMAINS", []).map((domain) => domain.toLowerCase());
  if (domains.some((domain) => !/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(domain))) {
    reader.report("ALLOWED_DOMAINS", "domains such as example.com, separated by commas");
  }
  return domains;
}

function readGroups(reader: Reader, type: LogInProvider["type"]): readonly string[] {
  const organizations = reader.list("ALLOWED_ORGANIZATIONS", []);
  const teams = reader.list("ALLOWED_TEAMS", []);
  for (const [key, list] of [
    ["ALLOWED_ORGANIZATIONS", organizations],
    ["ALLOWED_TEAMS", teams],
  ] as const) {
    if (type === "oidc" && list.length > 0) reader.report(key, "empty for a provider of type oidc");
  }
  if (teams.some((team) => !/^[^/]+\/[^/]+$/.test(team))) {
    reader.report("ALLOWED_TEAMS", "teams such as acme/developers, separated by commas");
  }
  return [...organizations, ...teams].map((group) => group.toLowerCase());
}

function readClaims(reader: Reader, type: LogInProvider["type"]): ClaimNames {
  const usualUsername = type === "github" ? "login" : "preferred_username";
  return {
    username: reader.text("USERNAME_CLAIM") ?? usualUsername,
    email: reader.text("EMAIL_CLAIM") ?? "email",
    name: reader.text("NAME_CLAIM") ?? "name",
    groups: reader.text("GROUPS_CLAIM") ?? "groups",
  };
}

/** The maximum length of a mapping, in characters: of a hundred groups with long names. */
const maxMappingLength = 32 * 1024;

/** Reads a JSON object whose keys are values of the groups claim, each with a role or a list of roles. */
function readMapping(reader: Reader): RoleMapping | undefined {
  const text = reader.text("ROLE_MAPPING", maxMappingLength);
  if (text === undefined) return undefined;
  const object = parseObject(text);
  const mapping = new Map<string, readonly RoleName[]>();
  for (const [value, given] of Object.entries(object ?? {})) {
    const names = typeof given === "string" ? [given] : textsOf(given);
    const roles = names.flatMap((name) => roleNames.filter((role) => role === name));
    const isWhole = roles.length > 0 && roles.length === names.length;
    if (isWhole && (typeof given === "string" || Array.isArray(given))) mapping.set(value, roles);
  }
  if (object !== undefined && mapping.size === Object.keys(object).length && mapping.size > 0) {
    return mapping;
  }
  const example = '{"admins": "owner", "developers": ["template-admin"]}';
  return reader.report(
    "ROLE_MAPPING",
    `JSON such as ${example}, with the roles ${roleNames.join(", ")}`,
  );
}
