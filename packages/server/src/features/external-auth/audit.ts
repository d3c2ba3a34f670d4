import type { Transaction } from "kysely";

import type { DB } from "../../platform/db/gen/schema.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { recordAudit } from "../audit/service.ts";

interface ChangedLink {
  readonly id: string;
  readonly providerId: string;
}

/** Records that a user logged in to a provider (`create`), logged in again (`write`) or logged out (`delete`). */
export async function recordLinkChange(
  trx: Transaction<DB>,
  by: UserCaller,
  { id, providerId }: ChangedLink,
  action: "create" | "write" | "delete",
): Promise<void> {
  await recordAudit(trx, {
    by,
    organizationId: undefined,
    action,
    resourceType: "external_auth_link",
    resourceId: id,
    target: providerId,
    diff: { tokens: { old: "", new: "", secret: true } },
  });
}
