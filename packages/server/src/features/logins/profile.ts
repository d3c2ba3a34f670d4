import { nameProblem } from "@slipway/api/contract/name";
import { type JsonObject, listOf, objectOf, printableLine, textOf } from "@slipway/runtime";

import type { LogInProvider } from "../../platform/config/login-settings.ts";
import { LogInError } from "./errors.ts";

/** A person as a provider describes them, in values that the database accepts. */
export interface Profile {
  /** The person's id at the issuer; nothing else identifies them. */
  readonly subject: string;
  /** Undefined if the provider tells none, or no valid one. */
  readonly email: string | undefined;
  readonly isEmailVerified: boolean;
  /** A valid username, which may be taken. */
  readonly username: string;
  readonly name: string;
  /** The values of the groups claim. At GitHub: organizations, and teams as `organization/team`. */
  readonly groups: readonly string[];
  readonly claims: JsonObject;
}

const maxSubjectLength = 255;
const maxEmailLength = 254;
const maxPersonNameLength = 128;
const maxUsernameLength = 32;
const maxGroups = 5_000;
const maxGroupLength = 512;
/** The maximum length of the JSON of all claims, in characters: providers list hundreds of groups. */
const maxClaimsLength = 128 * 1024;

type ClaimSettings = Pick<LogInProvider, "claims" | "trustsEmail">;

/** Reads a person from their claims. Throws `LogInError` for a subject that is missing, and for claims that are too long. */
export function readProfile(
  { claims: names, trustsEmail }: ClaimSettings,
  claims: JsonObject,
): Profile {
  if (JSON.stringify(claims).length > maxClaimsLength) {
    throw new LogInError("failed", `claims of more than ${maxClaimsLength} characters`);
  }
  const subject = textOf(claims["sub"]);
  if (subject === "" || subject.length > maxSubjectLength || !isPlain(subject)) {
    throw new LogInError("failed", `a subject that is not 1 to ${maxSubjectLength} characters`);
  }
  const email = readEmail(claimOf(claims, names.email));
  // Some providers send a text.
  const { email_verified: verified } = claims;
  const isEmailVerified = verified === true || verified === "true" || trustsEmail;
  return {
    subject,
    email,
    isEmailVerified: email !== undefined && isEmailVerified,
    username: usernameOf([textOf(claimOf(claims, names.username)), email ?? ""]),
    name: printableLine(textOf(claimOf(claims, names.name)))
      .trim()
      .slice(0, maxPersonNameLength)
      .toWellFormed(),
    groups: readGroups(claimOf(claims, names.groups)),
    claims,
  };
}

/** Returns a claim by its name or, if there is none of that name, by the path that its dots make. */
function claimOf(claims: JsonObject, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split(".")) {
    const object = objectOf(value);
    value = Object.hasOwn(object, part) ? object[part] : undefined;
  }
  return value;
}

/** Returns whether a text has neither control characters nor lone surrogates, which the database does not accept. */
function isPlain(text: string): boolean {
  return !/\p{Cc}/u.test(text) && text.isWellFormed();
}

function readEmail(value: unknown): string | undefined {
  const email = textOf(value);
  const isValid =
    email.length <= maxEmailLength && isPlain(email) && /^[^@\s]+@[^@\s]+$/.test(email);
  return isValid ? email : undefined;
}

function readGroups(value: unknown): readonly string[] {
  const list = typeof value === "string" ? [value] : listOf(value);
  const groups = list.slice(0, maxGroups).filter((group) => typeof group === "string");
  return [...new Set(groups.filter((group) => group.length <= maxGroupLength))];
}

/** Returns a valid username made of the first of these texts that has letters or digits. */
function usernameOf(texts: readonly string[]): string {
  for (const text of texts) {
    const [local = ""] = text.normalize("NFKD").split("@", 1);
    const words = local.replaceAll(/\p{M}/gu, "").match(/[a-zA-Z0-9]+/g) ?? [];
    const name = words.join("-").slice(0, maxUsernameLength).replace(/-$/, "");
    if (name !== "") return nameProblem(name) === undefined ? name : `user-${name}`;
  }
  return "user";
}

/** Returns the name for the `attempt`th try to find a free one: the name itself, then with a number. */
export function usernameCandidate(username: string, attempt: number): string {
  if (attempt === 1) return username;
  const suffix = `-${attempt}`;
  return `${username.slice(0, maxUsernameLength - suffix.length).replace(/-$/, "")}${suffix}`;
}
