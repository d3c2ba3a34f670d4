import { capabilitiesOf, type DriverResource, type StartedAgent } from "@slipway/drivers";
import type { TemplateDefinition } from "@slipway/template";
import { sql, type Transaction } from "kysely";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import type { NewRows } from "../../platform/db/insert-rows.ts";
import { Invalid } from "../../platform/errors/errors.ts";
import { hasSucceeded } from "../../platform/jobs/job-sql.ts";
import { endAgents } from "../agents/orphan-service.ts";
import type { BuildContext } from "./build-context.ts";
import { driverResources } from "./queries.ts";
import { renderAgents } from "./render.ts";
import { resourceRows, startedParts } from "./start-agents.ts";

/** The heading of a claim's log. */
export const claimStage = "Handing over workspace";

/** A build whose agents' processes run for another owner, with its resources and its driver. */
export interface Predecessor {
  readonly buildId: string;
  readonly resources: readonly DriverResource[];
  readonly driver: string;
  /**
   * `continues`: the present build is a claim, which takes over the processes (docs/claims.md). `ends`: the agents of the
   * version being built replace them, because it says so, names other agents, or has another driver.
   */
  readonly fate: "continues" | "ends";
}

/** Finds the previous build, if the processes that it started run for another owner; undefined otherwise. */
export async function findPredecessor(
  db: Queryable,
  context: BuildContext,
): Promise<Predecessor | undefined> {
  if (context.transition !== "start" || context.build_number === 1) return undefined;
  const last = await selectLastSucceeded(db, context.workspace_id, context.build_number);
  if (last?.transition !== "start" || last.owner_id === context.build_owner_id) return undefined;
  const predecessor = { buildId: last.id, resources: last.resources, driver: last.driver };
  const continues = !restartsAtClaim(context.definition) && matchesAgents(context, predecessor);
  return { ...predecessor, fate: continues ? "continues" : "ends" };
}

/**
 * Throws `Invalid` for a build with another driver than the last one: only that one finds and removes what it created for
 * the workspace. What runs for another owner it removes itself before the build.
 */
export async function requireSameDriver(
  db: Queryable,
  workspace: { readonly id: string; readonly ownerId: string; readonly name: string },
  last: { readonly build_number: number; readonly driver: string },
  driver: string,
): Promise<void> {
  if (driver === last.driver) return;
  const succeeded = await selectLastSucceeded(db, workspace.id, last.build_number + 1);
  if (succeeded !== undefined && succeeded.owner_id !== workspace.ownerId) return;
  throw new Invalid(
    `Workspace "${workspace.name}" uses the driver "${last.driver}", and this version of its template the driver "${driver}".`,
    {
      detail: `A workspace keeps its driver, which holds its files. Choose a version with the driver "${last.driver}", or create another workspace.`,
    },
  );
}

/** Returns whether a claim restarts everything, so that nothing that runs in a prebuild continues for its new owner. */
export function restartsAtClaim({ onClaim }: Pick<TemplateDefinition, "onClaim">): boolean {
  return onClaim === "restart";
}

/** Returns whether the running processes match the agents of the version being built, one to one. */
function matchesAgents(
  { definition }: Pick<BuildContext, "definition">,
  { resources, driver }: Pick<Predecessor, "resources" | "driver">,
): boolean {
  const running = new Set(resources.flatMap(({ agentNames }) => agentNames));
  const wanted = new Set(definition.agents.map(({ name }) => name));
  if (driver !== definition.driver) return false;
  // A driver that reads templates tells only at the end of the build which agents go on.
  return capabilitiesOf(driver).readsTemplates || running.symmetricDifference(wanted).size === 0;
}

/**
 * Ends the agents from before a claim, and resolves to the rows of its resources and agents: they keep the names and
 * tokens of their predecessors, whose processes continue, and take everything else from the template for the new owner.
 */
export async function takeOver(
  trx: Transaction<DB>,
  secrets: SecretBox,
  context: BuildContext,
  { buildId, resources, agents }: ClaimedAgents,
): Promise<readonly NewRows[]> {
  const parts =
    agents === undefined
      ? { definitions: renderAgents(context, context.parameters) }
      : startedParts(agents);
  return resourceRows(secrets, {
    buildId: context.id,
    jobId: context.job_id,
    resources,
    processes: await endAgents(trx, buildId),
    ...parts,
  });
}

/** The build whose agents go on for another owner, and the resources of the claim. */
interface ClaimedAgents extends Pick<Predecessor, "buildId" | "resources"> {
  /** The agents as the driver reports them; undefined if they are those of the template. */
  readonly agents: readonly StartedAgent[] | undefined;
}

/**
 * Reads the newest successful build before a number, with its driver. A later start for another owner is a claim if
 * this build is a start too (docs/claims.md).
 */
function selectLastSucceeded(db: Queryable, workspaceId: string, before: number) {
  return db
    .selectFrom("workspace_builds as b")
    .innerJoin("jobs as j", "j.id", "b.job_id")
    .innerJoin("template_versions as v", "v.id", "b.template_version_id")
    .where("b.workspace_id", "=", workspaceId)
    .where("b.build_number", "<", before)
    .where(hasSucceeded("j"))
    .orderBy("b.build_number", "desc")
    .select([
      "b.id",
      "b.transition",
      "b.owner_id",
      sql<string>`v.definition ->> 'driver'`.as("driver"),
    ])
    .select(driverResources(sql.ref("b.job_id")).as("resources"))
    .executeTakeFirst();
}
