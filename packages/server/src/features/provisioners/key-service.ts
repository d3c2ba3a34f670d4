import { createHash, randomBytes } from "node:crypto";

import { nameProblem } from "@slipway/api/contract/name";
import type { ProvisionerKey } from "@slipway/api/jobs/provisioner";

import { isOwnerRole } from "../../platform/auth/rights.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { violatesUnique } from "../../platform/db/errors.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import {
  Conflict,
  forbidden,
  invalidField,
  notFound,
  takenField,
  Unauthenticated,
} from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { JobTags } from "../../platform/jobs/tags.ts";
import type { Platform } from "../../platform/platform.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { recordAudit } from "../audit/service.ts";

export type KeyNeeds = Pick<Platform, "db" | "pubsub">;

interface NewKey {
  readonly organizationId: string;
  readonly name: string;
  readonly tags: JobTags;
}

const secretBytes = 32;
const maxKeys = 100;
/** The names that stock servers use for workers without a key. */
const reservedNames: ReadonlySet<string> = new Set(["built-in", "user-auth", "psk"]);

/** Creates a key; resolves to its secret, of which only the hash is stored. Throws `Forbidden` for all but owners. */
export async function createKey(
  { db }: KeyNeeds,
  caller: UserCaller,
  { organizationId, name, tags }: NewKey,
): Promise<string> {
  requireOwner(caller);
  const problem = reservedNames.has(name.toLowerCase())
    ? `must not be "${name}", which is reserved`
    : nameProblem(name);
  if (problem !== undefined) throw invalidField("name", problem);
  const secret = randomBytes(secretBytes).toString("base64url");
  await inTransaction(db, async (trx) => {
    // Keys of the organization are created one after another, so that they are counted.
    await trx
      .selectFrom("organizations")
      .where("id", "=", organizationId)
      .select("id")
      .forNoKeyUpdate()
      .execute();
    if ((await selectKeys(trx, organizationId)).length >= maxKeys) {
      throw new Conflict(`The organization has ${maxKeys} provisioner keys.`, {
        detail: "Delete one that is no longer used: one key serves many provisioners.",
      });
    }
    const { id } = await trx
      .insertInto("provisioner_keys")
      .values({
        organization_id: organizationId,
        name,
        tags: { ...tags },
        hashed_secret: hashKey(secret),
      })
      .returning("id")
      .executeTakeFirstOrThrow();
    await recordAudit(trx, {
      ...entryOf(caller, { id, organizationId, name }),
      action: "create",
      diff: {
        name: { old: null, new: name, secret: false },
        tags: { old: null, new: tags, secret: false },
      },
    });
  }).catch((error: unknown) => {
    if (!violatesUnique(error, "provisioner_keys_name")) throw error;
    throw takenField("name", `A provisioner key with name "${name}" already exists.`);
  });
  return secret;
}

/** Lists the keys of an organization by name. Throws `Forbidden` for all but owners. */
export async function listKeys(
  { db }: Pick<KeyNeeds, "db">,
  caller: UserCaller,
  organizationId: string,
): Promise<ProvisionerKey[]> {
  requireOwner(caller);
  const rows = await selectKeys(db, organizationId);
  return rows.map(({ id, name, tags, created_at, organization_id: organization }) => ({
    id,
    created_at,
    organization,
    name,
    tags,
  }));
}

/** Deletes a key by its name or id, and with it the provisioners that use it; their sessions end. */
export async function deleteKey(
  { db, pubsub }: KeyNeeds,
  caller: UserCaller,
  { organizationId, reference }: Pick<NewKey, "organizationId"> & { readonly reference: string },
): Promise<void> {
  requireOwner(caller);
  const wanted = reference.toLowerCase();
  const deleted = await inTransaction(db, async (trx) => {
    // An id is longer than any name.
    const key = (await selectKeys(trx, organizationId)).find(
      ({ id, name }) => id === wanted || name.toLowerCase() === wanted,
    );
    if (key === undefined) throw notFound();
    const { numDeletedRows } = await trx
      .deleteFrom("provisioner_keys")
      .where("id", "=", key.id)
      .executeTakeFirst();
    // Another request was first.
    if (numDeletedRows === 0n) throw notFound();
    await recordAudit(trx, {
      ...entryOf(caller, { id: key.id, organizationId, name: key.name }),
      action: "delete",
      diff: { name: { old: key.name, new: null, secret: false } },
    });
    return key.id;
  });
  pubsub.publish(topics.provisionerKey(deleted));
}

/** A key that a provisioner has presented. */
export interface FoundKey {
  readonly id: string;
  readonly name: string;
  readonly organizationId: string;
  readonly tags: JobTags;
}

/** Finds the key of a secret. Throws `Unauthenticated`. */
export async function authenticateKey(db: Queryable, secret: unknown): Promise<FoundKey> {
  if (typeof secret !== "string" || secret === "") {
    throw new Unauthenticated("Provisioner key required.", {
      detail: "Create one with: slipway provisioner keys create",
    });
  }
  const row = await db
    .selectFrom("provisioner_keys")
    .where("hashed_secret", "=", hashKey(secret))
    .select(["id", "name", "organization_id", "tags"])
    .executeTakeFirst();
  if (row === undefined) {
    throw new Unauthenticated("Provisioner key invalid.", {
      detail: "It was deleted, or never existed. List keys with: slipway provisioner keys list",
    });
  }
  const { organization_id: organizationId, ...key } = row;
  return { ...key, organizationId };
}

function requireOwner(caller: UserCaller): void {
  if (isOwnerRole(caller)) return;
  throw forbidden(
    "Only owners manage provisioner keys: provisioners get the secrets of the workspaces that they build.",
  );
}

function hashKey(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

function entryOf(by: UserCaller, { id, organizationId, name }: Omit<FoundKey, "tags">) {
  return {
    by,
    organizationId,
    resourceType: "provisioner_key",
    resourceId: id,
    target: name,
  } as const;
}

function selectKeys(db: Queryable, organizationId: string) {
  return db
    .selectFrom("provisioner_keys")
    .where("organization_id", "=", organizationId)
    .orderBy("name")
    .select(["id", "name", "organization_id", "tags", "created_at"])
    .execute();
}
