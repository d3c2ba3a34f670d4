import { randomBytes, randomUUID } from "node:crypto";

import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import type { Transaction } from "kysely";

import type { DB } from "../../platform/db/gen/schema.ts";
import { createFirstBuild } from "../builds/service.ts";
import { requireBuildable } from "../templates/version-service.ts";
import { queueBuild } from "../workspaces/build-service.ts";
import { prebuildRows } from "../workspaces/queries.ts";

/** The system user, who requests the builds of prebuilds. */
const initiator = { id: prebuildsUserId, origin: undefined };

/** The inputs of a prebuild. */
export interface NewPrebuild {
  readonly organizationId: string;
  readonly templateId: string;
  readonly versionId: string;
  readonly presetId: string;
}

/** Creates a workspace of the system user and queues its first build. */
export async function createPrebuild(
  trx: Transaction<DB>,
  { organizationId, templateId, versionId, presetId }: NewPrebuild,
): Promise<void> {
  const workspace = { id: randomUUID(), name: prebuildName(), organizationId, templateId };
  const version = await requireBuildable(trx, versionId);
  await createFirstBuild(
    trx,
    { ...workspace, ownerId: prebuildsUserId },
    { transition: "start", version, presetId, parameters: [], initiator },
    { rows: prebuildRows(workspace, presetId), entries: [] },
  );
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
    initiator,
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
