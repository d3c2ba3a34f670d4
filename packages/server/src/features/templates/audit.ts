import type { AuditAction } from "@slipway/api/audit/audit-log";
import type { Transaction } from "kysely";

import type { DB } from "../../platform/db/gen/schema.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { type diffOf, recordAudit } from "../audit/service.ts";

interface Change {
  readonly action: AuditAction;
  readonly diff?: ReturnType<typeof diffOf>;
  readonly fields?: Readonly<Record<string, unknown>>;
}

interface NamedResource {
  readonly id: string;
  readonly organization_id: string;
  readonly name: string;
}

/** Records in the audit trail a change that `caller` made to a template. */
export async function recordTemplateChange(
  trx: Transaction<DB>,
  caller: UserCaller,
  template: NamedResource,
  change: Change,
): Promise<void> {
  await record(trx, caller, "template", template, change);
}

/** Records in the audit trail a change that `caller` made to a version of a template. */
export async function recordVersionChange(
  trx: Transaction<DB>,
  caller: UserCaller,
  version: NamedResource & { readonly template_id: string | null },
  change: Change,
): Promise<void> {
  const fields = { template_id: version.template_id, ...change.fields };
  await record(trx, caller, "template_version", version, { ...change, fields });
}

async function record(
  trx: Transaction<DB>,
  by: UserCaller,
  resourceType: "template" | "template_version",
  { id, organization_id: organizationId, name }: NamedResource,
  { action, diff = {}, fields = {} }: Change,
): Promise<void> {
  const what = { resourceType, resourceId: id, target: name };
  await recordAudit(trx, { by, organizationId, action, ...what, diff, fields });
}
