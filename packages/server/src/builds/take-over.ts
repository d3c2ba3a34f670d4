import type { Transaction } from "kysely";

import { endAgents, makeAgent, makeSuccessor } from "../agents/build-service.ts";
import type { SecretBox } from "../auth/secret-box.ts";
import type { Queryable } from "../db/database.ts";
import type { DB } from "../db/gen/schema.ts";
import type { DriverResource } from "../drivers/driver.ts";
import type { AgentDefinition, NamedValue } from "../template-format/definition.ts";
import { renderAgents } from "./build-context.ts";
import { type BuildContext, selectLastSucceeded } from "./queries.ts";
import { insertResource, selectDriverResources } from "./resource-queries.ts";

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
  return readPredecessor(db, last);
}

/** What a build of this workspace takes over from the one that runs. */
export async function readPredecessor(
  db: Queryable,
  { id, job_id: jobId }: { readonly id: string; readonly job_id: string },
): Promise<Predecessor> {
  const rows = await selectDriverResources(db, jobId);
  return {
    buildId: id,
    resources: rows.map(({ type, name, icon, agent_names: agentNames }) => ({
      type,
      name,
      icon,
      agentNames,
    })),
  };
}

/**
 * Makes the resources and agents of a claim: the agents have the names and tokens of those before them, whose processes go
 * on, and everything else as the template says it for the new owner. The agents before them end.
 */
export async function takeOver(
  trx: Transaction<DB>,
  secrets: SecretBox,
  {
    context,
    parameters,
  }: { readonly context: BuildContext; readonly parameters: readonly NamedValue[] },
  { buildId, resources }: Predecessor,
): Promise<void> {
  const tokens = await endAgents(trx, buildId);
  const definitions = renderAgents(context, parameters);
  for (const resource of resources) {
    const { type, name, icon = "" } = resource;
    const resourceId = await insertResource(trx, {
      jobId: context.job_id,
      transition: "start",
      type,
      name,
      icon,
    });
    for (const definition of definitionsIn(resource, definitions)) {
      const agent = { resourceId, buildId: context.id, definition };
      const token = tokens.get(definition.name);
      await (token === undefined
        ? makeAgent(trx, secrets, agent)
        : makeSuccessor(trx, token, agent));
    }
  }
}

function definitionsIn(
  { agentNames }: DriverResource,
  definitions: readonly AgentDefinition[],
): readonly AgentDefinition[] {
  return definitions.filter(({ name }) => agentNames.includes(name));
}
