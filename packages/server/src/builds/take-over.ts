import type { Transaction } from "kysely";

import { endAgents } from "../agents/build-service.ts";
import type { SecretBox } from "../auth/secret-box.ts";
import type { Queryable } from "../db/database.ts";
import type { DB } from "../db/gen/schema.ts";
import type { NewRows } from "../db/insert-rows.ts";
import type { DriverResource } from "../drivers/driver.ts";
import type { NamedValue } from "../template-format/definition.ts";
import { renderAgents, type RenderContext } from "./build-context.ts";
import { selectLastSucceeded } from "./claim-queries.ts";
import type { BuildContext } from "./context-queries.ts";
import { resourceRows } from "./resource-rows.ts";

/** The build whose agents' processes go on under a new owner, and what it stands on. */
export interface Predecessor {
  readonly buildId: string;
  readonly resources: readonly DriverResource[];
}

/** What a build takes over; undefined for one that is no claim (docs/claims.md). */
export async function findPredecessor(
  db: Queryable,
  context: BuildContext,
): Promise<Predecessor | undefined> {
  if (context.transition !== "start") return undefined;
  const last = await selectLastSucceeded(db, context.workspace_id, context.build_number);
  if (last?.transition !== "start" || last.owner_id === context.build_owner_id) return undefined;
  return { buildId: last.id, resources: last.resources };
}

/**
 * Ends the agents before a claim, and resolves to the rows of its resources and agents: they have the names and tokens of
 * those before them, whose processes go on, and everything else as the template says it for the new owner.
 */
export async function takeOver(
  trx: Transaction<DB>,
  secrets: SecretBox,
  {
    context,
    parameters,
  }: { readonly context: TakeOverContext; readonly parameters: readonly NamedValue[] },
  { buildId, resources }: Predecessor,
): Promise<readonly NewRows[]> {
  const processes = await endAgents(trx, buildId);
  return resourceRows(secrets, {
    buildId: context.id,
    jobId: context.job_id,
    resources,
    definitions: renderAgents(context, parameters),
    processes,
  });
}

type TakeOverContext = RenderContext & Pick<BuildContext, "id" | "job_id">;
