import { createHash, randomBytes } from "node:crypto";

import type { BegunLoginTest, LoginTest } from "@slipway/api/logins/routes";
import { type RefusalCode, refusalText } from "@slipway/api/users/log-in-refusals";
import type { JsonObject } from "@slipway/runtime";
import { sql } from "kysely";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { Invalid } from "../../platform/errors/errors.ts";
import { decideAccess } from "./access-rules.ts";
import { readProfile } from "./profile.ts";
import { logInPath, type Provider } from "./providers.ts";

/** The parameter of the address at which the login of a test begins. */
export const testParameter = "test";
/** The time in which a person logs in, and the command collects the result. */
const testSeconds = 15 * 60;
const intervalSeconds = 2;
const idBytes = 24;

interface TestNeeds {
  readonly db: Database;
  readonly secrets: Pick<SecretBox, "seal" | "open">;
}

/** Returns what a provider's rules make of claims. Throws `LogInError` for those that are not a person's. */
export function testOf(provider: Provider, claims: JsonObject): LoginTest {
  const profile = readProfile(provider, claims);
  const access = decideAccess(provider, profile);
  const reason = access.type === "refused" ? access.code : "";
  return {
    outcome: access.type,
    reason,
    message: refusalText(reason, provider.displayName) ?? "",
    subject: profile.subject,
    username: profile.username,
    email: profile.email ?? "",
    email_verified: profile.isEmailVerified,
    name: profile.name,
    groups: [...profile.groups],
    roles: access.type === "allowed" && access.roles !== undefined ? [...access.roles] : null,
    claims: { ...claims },
  };
}

/** Returns the result of a login that failed before there were claims. */
export function failedTestOf({ displayName }: Provider, reason: RefusalCode): LoginTest {
  return {
    outcome: "refused",
    reason,
    message: refusalText(reason, displayName) ?? "",
    subject: "",
    username: "",
    email: "",
    email_verified: false,
    name: "",
    groups: [],
    roles: null,
    claims: {},
  };
}

/** Begins a test of an owner. Whoever has its address may log in, which changes nothing here. */
export async function beginTest(
  { db }: Pick<TestNeeds, "db">,
  { id: ownerId }: { readonly id: string },
  provider: Provider,
): Promise<BegunLoginTest> {
  const id = randomBytes(idBytes).toString("base64url");
  await upsertTest(db, ownerId, hashOf(id));
  const query = new URLSearchParams({ [testParameter]: id });
  return {
    id,
    login_url: `${logInPath(provider)}?${query.toString()}`,
    expires_in: testSeconds,
    interval: intervalSeconds,
  };
}

/** Returns whether a test waits for its login. */
export async function isOpenTest(db: Queryable, id: string): Promise<boolean> {
  return (await waitingTest(db, id).executeTakeFirst()) !== undefined;
}

/** Stores the result of a test, once; false if it expired or has one. */
export async function storeTest(
  { db, secrets }: TestNeeds,
  id: string,
  result: LoginTest,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("login_tests")
    .set({ result_encrypted: secrets.seal(JSON.stringify(result)) })
    .where("owner_id", "in", waitingTest(db, id))
    .where("result_encrypted", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Takes the result of an owner's test, once. Throws `Invalid` until there is one, and after its end. */
export async function takeTest(
  { db, secrets }: TestNeeds,
  { id: ownerId }: { readonly id: string },
  id: string,
): Promise<LoginTest> {
  const taken = await db
    .deleteFrom("login_tests")
    .where("owner_id", "=", ownerId)
    .where("test_hash", "=", hashOf(id))
    .where("result_encrypted", "is not", null)
    .returning("result_encrypted")
    .executeTakeFirst();
  if (taken?.result_encrypted !== undefined && taken.result_encrypted !== null) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `storeTest` wrote it
    return JSON.parse(secrets.open(taken.result_encrypted)) as LoginTest;
  }
  const detail = (await isOpenTest(db, id)) ? "authorization_pending" : "expired_token";
  throw new Invalid("The login is not complete.", { detail });
}

async function upsertTest(db: Queryable, ownerId: string, testHash: Buffer): Promise<void> {
  const begun = {
    test_hash: testHash,
    result_encrypted: null,
    created_at: sql<string>`now()`,
  };
  await db
    .insertInto("login_tests")
    .values({ owner_id: ownerId, ...begun })
    .onConflict((conflict) => conflict.column("owner_id").doUpdateSet(begun))
    .execute();
}

/** Selects the owner of a test without a result. */
function waitingTest(db: Queryable, id: string) {
  return db
    .selectFrom("login_tests")
    .where("test_hash", "=", hashOf(id))
    .where("created_at", ">", sql<string>`now() - make_interval(secs => ${testSeconds})`)
    .where("result_encrypted", "is", null)
    .select("owner_id");
}

function hashOf(id: string): Buffer {
  return createHash("sha256").update(id).digest();
}
