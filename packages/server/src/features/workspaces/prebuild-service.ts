import { randomBytes } from "node:crypto";

import { prebuildsUserId } from "@slipway/api";
import type { Transaction } from "kysely";

import type { DB } from "../../platform/db/gen/schema.ts";
import { queueBuild } from "./build-service.ts";
import { insertPrebuild } from "./queries.ts";

/** The inputs of a prebuild. */
export interface NewPrebuild {
  readonly organizationId: string;
  readonly templateId: string;
  readonly versionId: string;
  readonly presetId: string;
}

/** Creates a workspace of the system user and queues its first build; resolves to its id. */
export async function createPrebuild(
  trx: Transaction<DB>,
  { organizationId, templateId, versionId, presetId }: NewPrebuild,
): Promise<string> {
  const name = prebuildName();
  const id = await insertPrebuild(trx, { organizationId, templateId, presetId, name });
  await queueBuild(
    trx,
    {
      id,
      name,
      owner_id: prebuildsUserId,
      organization_id: organizationId,
      template_id: templateId,
    },
    {
      transition: "start",
      versionId,
      presetId,
      parameters: [],
      reason: "initiator",
      initiator: { id: prebuildsUserId, origin: undefined },
      limits: undefined,
    },
  );
  return id;
}

/** Deletes a workspace of the system user, which the caller has locked. */
export async function deletePrebuild(
  trx: Transaction<DB>,
  workspace: Parameters<typeof queueBuild>[1],
): Promise<void> {
  await queueBuild(trx, workspace, {
    transition: "delete",
    versionId: undefined,
    presetId: undefined,
    parameters: [],
    reason: "initiator",
    initiator: { id: prebuildsUserId, origin: undefined },
    limits: undefined,
  });
}

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
const nameLetters = 15;

/** Returns `prebuild-` and nine random bytes in base32 (docs/protocol/prebuilds.md §1.1). */
function prebuildName(): string {
  const letters = [...randomBytes(nameLetters)].map((byte) => alphabet[byte % alphabet.length]);
  return `prebuild-${letters.join("")}`;
}
