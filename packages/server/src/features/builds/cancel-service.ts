import { inTransaction } from "../../platform/db/transaction.ts";
import { invalidField } from "../../platform/errors/errors.ts";
import { type CancelableStatus, cancelJob } from "../../platform/jobs/service.ts";
import type { Platform } from "../../platform/platform.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { type AuditActor, diffOf, recordAudit } from "../audit/service.ts";
import type { BuildRow } from "./queries.ts";

/** Cancels an unfinished build; its worker aborts the driver's work. Throws what `cancelJob` throws. */
export async function cancelBuild(
  { db, pubsub }: Pick<Platform, "db" | "pubsub">,
  caller: AuditActor,
  build: BuildRow,
  expected: CancelableStatus | undefined,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    await cancelJob(trx, build.job_id, expected);
    await recordAudit(trx, {
      by: caller,
      organizationId: undefined,
      action: "write",
      resourceType: "workspace_build",
      resourceId: build.id,
      target: build.workspace_name,
      diff: diffOf({ canceled: false }, { canceled: true }),
      fields: { workspace_owner: build.owner_name, build_number: build.build_number },
    });
  });
  pubsub.publish(topics.jobCancel(build.job_id));
  pubsub.publish(topics.job(build.job_id));
  pubsub.publish(topics.builds(build.workspace_id));
  pubsub.publish(topics.workspace(build.workspace_id));
}

/** Reads the query `expect_status`; empty matches any status. */
export function readExpectedStatus(text: string | undefined): CancelableStatus | undefined {
  if (text === undefined || text === "") return undefined;
  if (text === "pending" || text === "running") return text;
  const detail = `must be pending or running, found "${text.slice(0, 40)}"`;
  throw invalidField("expect_status", detail, "Invalid expect_status parameter.");
}
