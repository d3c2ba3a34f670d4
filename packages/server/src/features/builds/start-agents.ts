import { randomUUID } from "node:crypto";

import {
  capabilitiesOf,
  type DriverResource,
  type DriverResult,
  type StartedAgent,
} from "@slipway/drivers";
import type { AgentDefinition } from "@slipway/template";
import type { Transaction } from "kysely";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Database } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { insertRows, type NewRows } from "../../platform/db/insert-rows.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { storableText } from "../../platform/fields/storable-text.ts";
import { newAgentRows } from "../agents/new-agent-service.ts";
import {
  endAgents,
  endAttachedAgents,
  endRestingAgents,
  type OrphanProcess,
} from "../agents/orphan-service.ts";
import { driverAgents, metadataJson } from "../agents/plan-service.ts";
import type { BuildContext } from "./build-context.ts";
import {
  type MeasuredBuildNeeds,
  driverLog,
  driverTemplate,
  selectLastStart,
  parameterValues,
  type RunningBuild,
} from "./driver-build.ts";
import { renderAgents } from "./render.ts";

/**
 * Creates the agents of a start, unless an earlier attempt of this job did, and ends those that they replace: the agents of
 * the build `replacedId`, if any.
 */
export async function prepareAgents(
  needs: MeasuredBuildNeeds,
  work: RunningBuild,
  replacedId: string | undefined,
): Promise<void> {
  const { db, secrets } = needs;
  const { context, driver, signal } = work;
  if (context.has_resources) return;
  const agents = renderAgents(context, context.parameters);
  const plan = await driver.plan(
    {
      template: driverTemplate(context),
      parameters: parameterValues(context),
      agents: driverAgents(agents),
      purpose: "build",
    },
    driverLog(needs, work),
    signal,
  );
  const rowsWith = (processes: ReadonlyMap<string, OrphanProcess>): readonly NewRows[] =>
    resourceRows(secrets, {
      buildId: context.id,
      jobId: context.job_id,
      resources: plan.resources,
      definitions: agents,
      processes,
    });
  const restingId = replacedId === undefined ? await findResting(db, context) : undefined;
  if (replacedId === undefined && restingId === undefined) {
    await insertRows(db, rowsWith(new Map()));
    return;
  }
  await inTransaction(db, async (trx) => {
    if (replacedId !== undefined) await endAgents(trx, replacedId);
    const left = restingId === undefined ? new Map() : await endRestingAgents(trx, restingId);
    await insertRows(trx, rowsWith(left));
  });
}

/** Finds the build whose agents keep their tokens: people start external agents, and nothing ends their processes. */
async function findResting(
  db: Database,
  {
    definition,
    workspace_id: workspaceId,
    build_number: number,
    build_owner_id: ownerId,
  }: BuildContext,
): Promise<string | undefined> {
  if (!capabilitiesOf(definition.driver).hasExternalAgents || number === 1) return undefined;
  const start = await selectLastStart(db, workspaceId, number);
  return start?.owner_id === ownerId && start.driver === definition.driver ? start.id : undefined;
}

/** The resources that a build creates. */
interface BuildResources {
  readonly buildId: string;
  readonly jobId: string;
  readonly resources: readonly DriverResource[];
  /** The definitions of all agents; those that no resource names are not created. */
  readonly definitions: readonly AgentDefinition[];
  /** The running processes that continue as the agents of these names. */
  readonly processes: ReadonlyMap<string, OrphanProcess>;
  /** The tokens that the driver gave the agents of these names (default: the server chooses them). */
  readonly tokens?: ReadonlyMap<string, string>;
  readonly transition?: "start" | "stop";
}

/** Returns the rows of the resources that a build creates, with their agents. */
export function resourceRows(
  secrets: SecretBox,
  { buildId, jobId, resources, definitions, processes, tokens, transition }: BuildResources,
): readonly NewRows[] {
  const created = resources.map((resource) => ({ resource, id: randomUUID() }));
  const agents = created.flatMap(({ id: resourceId, resource: { agentNames } }) =>
    definitions
      .filter(({ name }) => agentNames.includes(name))
      .map((definition) => ({
        resourceId,
        buildId,
        definition,
        process: processes.get(definition.name),
        token: tokens?.get(definition.name),
      })),
  );
  const rows = created.map(({ id, resource }) =>
    resourceRow(resource, { id, jobId, transition: transition ?? "start" }),
  );
  return [{ table: "workspace_resources", rows }, ...newAgentRows(secrets, agents)];
}

interface ResourcePlace {
  readonly id: string;
  readonly jobId: string;
  readonly transition: "start" | "stop";
}

function resourceRow(resource: DriverResource, { id, jobId, transition }: ResourcePlace) {
  const { type, name, icon = "", isHidden = false, dailyCost = 0, metadata = [] } = resource;
  return {
    id,
    job_id: jobId,
    workspace_transition: transition,
    type: storableText(type),
    name: storableText(name),
    icon: storableText(icon),
    hide: isHidden,
    daily_cost: dailyCost,
    metadata: metadata.map(metadataJson),
  };
}

/**
 * Ends the agents of the last start, and returns the rows of the agents that a driver started in this build, with their
 * resources. Processes of the last start that go on keep their agents' tokens.
 */
export async function startedRows(
  trx: Transaction<DB>,
  secrets: SecretBox,
  context: BuildContext,
  {
    resources,
    agents,
  }: Pick<DriverResult, "resources"> & { readonly agents: readonly StartedAgent[] },
): Promise<readonly NewRows[]> {
  const { id, job_id: jobId, workspace_id: workspaceId, build_number: number } = context;
  const isStop = context.transition === "stop";
  const last = await selectLastStart(trx, workspaceId, number);
  if (isStop && last !== undefined) await endAttachedAgents(trx, last.id);
  return resourceRows(secrets, {
    buildId: id,
    jobId,
    resources,
    processes: isStop || last === undefined ? new Map() : await endRestingAgents(trx, last.id),
    ...startedParts(agents),
    transition: isStop ? "stop" : "start",
  });
}

/** Returns the agents that a driver started, as parts of a build's resources. */
export function startedParts(
  agents: readonly StartedAgent[],
): Pick<BuildResources, "definitions" | "tokens"> {
  return {
    definitions: agents.map(({ definition }) => definition),
    tokens: new Map(agents.map(({ definition, token }) => [definition.name, token])),
  };
}
