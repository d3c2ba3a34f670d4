import { randomBytes } from "node:crypto";

import type { RefusalCode } from "@slipway/api/users/log-in-refusals";
import { type Clock, type Logger, textOf } from "@slipway/runtime";
import type { Transaction } from "kysely";

import { activateDormant, endSessionsBut } from "../../platform/auth/queries.ts";
import type { SecretBox } from "../../platform/auth/secret-box.ts";
import { createSession, keyLifetimes } from "../../platform/auth/session-key.ts";
import type { Database } from "../../platform/db/database.ts";
import { sqlState, sqlStateOf } from "../../platform/db/errors.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { addressKey } from "../../platform/fields/address.ts";
import type { RequestOrigin } from "../../platform/http/request-origin.ts";
import type { AuditNotes } from "../audit/note-service.ts";
import { recordAudit } from "../audit/service.ts";
import { keyEntry } from "../users/audit.ts";
import {
  convertToProvider,
  createProviderUser,
  selectTakenNames,
  updateFromProvider,
} from "../users/provider-user-service.ts";
import { type Access, decideAccess } from "./access-rules.ts";
import { hashProviderSession, wasLoggedOut } from "./back-channel-service.ts";
import { LogInError } from "./errors.ts";
import { sealDetails } from "./identity.ts";
import type { ProvenLogIn } from "./log-in-client.ts";
import type { Aim } from "./pending-cookie.ts";
import { type Profile, readProfile, usernameCandidate } from "./profile.ts";
import type { Provider } from "./providers.ts";
import { lockArrivals, selectAccount, selectUserOfIdentity, upsertIdentity } from "./queries.ts";

export interface PersonNeeds {
  readonly db: Database;
  readonly clock: Pick<Clock, "now">;
  readonly secrets: SecretBox;
  readonly auditNotes: AuditNotes;
  readonly logger: Logger;
}

/** A person whom a provider has proved, and the request in which it did. */
export interface Arrival {
  readonly provider: Provider;
  readonly proven: ProvenLogIn;
  readonly aim: Exclude<Aim, { readonly type: "test" }>;
  /** The time at which the login began here, in milliseconds since 1970. */
  readonly beganAtMs: number;
  readonly origin: RequestOrigin;
}

/** A refused login is recorded once in this time for each address, provider and reason. */
const noteRefusalOnceInMs = 10 * 60_000;
/** The attempts to create a user: an administrator may take the username or email address at the same moment. */
const maxAttempts = 3;

/**
 * Logs a person in and resolves to the token of their session. A person is known by issuer and subject, never by their email
 * address. At the first login, a verified address finds the account that an administrator created for this kind of
 * login, or becomes that of a new account; a user who converts their account takes the person whatever the address. Rejects
 * with `LogInError`.
 */
export async function logInPerson(needs: PersonNeeds, arrival: Arrival): Promise<string> {
  const { provider, proven } = arrival;
  const profile = readProfile(provider, proven.claims);
  const access = decideAccess(provider, profile);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const outcome = await inTransaction(needs.db, (trx) =>
        enter(needs, trx, arrival, { profile, access }),
      );
      if (outcome.type === "refused") throw refuse(needs, arrival, profile, outcome);
      return outcome.token;
    } catch (error) {
      const isTaken = sqlStateOf(error) === sqlState.uniqueViolation;
      if (!isTaken || attempt === maxAttempts) throw error;
    }
  }
}

interface Refused {
  readonly type: "refused";
  readonly code: RefusalCode;
  /** Undefined if the person has no account. */
  readonly userId: string | undefined;
}

type Outcome = { readonly type: "session"; readonly token: string } | Refused;

interface Decision {
  readonly profile: Profile;
  readonly access: Access;
}

interface Account {
  readonly id: string;
  readonly status: string;
}

async function enter(
  needs: PersonNeeds,
  trx: Transaction<DB>,
  arrival: Arrival,
  decision: Decision,
): Promise<Outcome> {
  const { provider, aim, proven, beganAtMs } = arrival;
  const { profile, access } = decision;
  const isEnded = await wasLoggedOut(trx, provider, {
    subject: profile.subject,
    sessionId: textOf(proven.claims["sid"]),
    ageSeconds: (needs.clock.now() - beganAtMs) / 1000,
  });
  const key = { issuer: provider.issuer, subject: profile.subject };
  let known = await selectUserOfIdentity(trx, key);
  if (known === undefined && access.type === "allowed") {
    await lockArrivals(trx);
    // Another login of the person may have come first.
    known = await selectUserOfIdentity(trx, key);
  }
  if (access.type === "refused") {
    // The provider has let them in before.
    if (known !== undefined) await endSessionsBut(trx, known.id, undefined);
    return { type: "refused", code: access.code, userId: known?.id };
  }
  if (isEnded) return { type: "refused", code: "logged-out", userId: known?.id };
  const account =
    aim.type === "conversion"
      ? await convertAccount(trx, arrival, aim, known)
      : (known ?? (await findOrCreate(trx, arrival, profile)));
  if ("type" in account) return account;
  const { id, status } = account;
  if (status === "suspended") return { type: "refused", code: "suspended", userId: id };
  return openSession(needs, trx, arrival, { profile, roles: access.roles, userId: id });
}

/** Gives a user who converts their account the person, who must have none. */
async function convertAccount(
  trx: Transaction<DB>,
  { provider, origin }: Arrival,
  { userId, keyId }: Extract<Aim, { readonly type: "conversion" }>,
  known: Account | undefined,
): Promise<Account | Refused> {
  if (known !== undefined) return { type: "refused", code: "identity-taken", userId };
  const isConverted = await convertToProvider(trx, origin, { id: userId, keyId }, provider.type);
  return isConverted
    ? { id: userId, status: "active" }
    : { type: "refused", code: "expired", userId };
}

/** Finds the invited account of a person whom the server does not know, or creates one. */
async function findOrCreate(
  trx: Transaction<DB>,
  { provider, origin }: Arrival,
  profile: Profile,
): Promise<Account | Refused> {
  const refused = (code: RefusalCode) => ({ type: "refused", code, userId: undefined }) as const;
  const { email } = profile;
  if (email === undefined || !profile.isEmailVerified) return refused("email-unverified");
  const account = await selectAccount(trx, email);
  if (account !== undefined) {
    const isInvited =
      account.login_type === provider.type && !account.has_identity && !account.is_system;
    return isInvited ? account : refused("email-taken");
  }
  if (provider.signups === "invited") return refused("not-invited");
  const username = await freeUsername(trx, profile.username);
  const { name } = profile;
  const user = { username, email, name, loginType: provider.type };
  return { id: await createProviderUser(trx, origin, user), status: "active" };
}

/** The number of usernames with a number that are tried before one with random digits. */
const numberedNames = 20;

async function freeUsername(trx: Transaction<DB>, wanted: string): Promise<string> {
  const candidates = Array.from({ length: numberedNames }, (_one, index) =>
    usernameCandidate(wanted, index + 1),
  );
  const taken = await selectTakenNames(trx, candidates);
  const free = candidates.find((name) => !taken.has(name.toLowerCase()));
  return free ?? usernameCandidate(wanted, randomBytes(4).readUInt32BE());
}

interface Entry {
  readonly userId: string;
  readonly profile: Profile;
  readonly roles: Extract<Access, { readonly type: "allowed" }>["roles"];
}

async function openSession(
  { secrets, logger }: PersonNeeds,
  trx: Transaction<DB>,
  { provider, proven, origin }: Arrival,
  { userId, profile, roles }: Entry,
): Promise<Outcome> {
  const by = { id: userId, origin };
  const { keepsOwner } = await updateFromProvider(trx, by, userId, {
    email: profile.isEmailVerified ? profile.email : undefined,
    name: profile.name === "" ? undefined : profile.name,
    roles,
  });
  if (keepsOwner) {
    logger.warn({ user: userId, provider: provider.id }, "the last owner keeps the role owner");
  }
  await upsertIdentity(trx, {
    userId,
    issuer: provider.issuer,
    subject: profile.subject,
    providerId: provider.id,
    detailsEncrypted: sealDetails(secrets, proven),
    isCheckable: provider.type === "github" || proven.tokens.refreshToken !== undefined,
  });
  await activateDormant(trx, userId);
  const entry = keyEntry(by, { userId, name: "" }, "login");
  await recordAudit(trx, { ...entry, fields: { login_provider: provider.id } });
  const token = await createSession(trx, {
    userId,
    lifetimeSeconds: keyLifetimes.browserSession,
    loginType: provider.type,
    providerSession: hashProviderSession(provider, textOf(proven.claims["sid"])),
    origin,
  });
  return { type: "session", token };
}

/** Records a refusal, and returns its error. */
function refuse(
  { auditNotes }: Pick<PersonNeeds, "auditNotes">,
  { provider, origin }: Arrival,
  { subject, email }: Profile,
  { code, userId }: Refused,
): LogInError {
  const by = { id: userId, origin: { ...origin, status: 403 } };
  // An unknown person may come with any number of addresses and subjects.
  const key = `log-in ${provider.id} ${userId ?? ""} ${addressKey(origin.ip)} ${code}`;
  const entry = keyEntry(by, { userId: userId ?? noUser, name: "" }, "login");
  const fields = { login_provider: provider.id, reason: code, subject, email: email ?? "" };
  auditNotes.recordLater({ ...entry, fields }, { key, onceInMs: noteRefusalOnceInMs });
  return new LogInError(code, `the person was refused: ${code}`);
}

/** The resource of an entry about a person without an account. */
const noUser = "00000000-0000-0000-0000-000000000000";
