import type { DriverResource } from "@slipway/drivers";
import type { NamedValue, TemplateDefinition } from "@slipway/template";
import type { Transaction } from "kysely";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import type { NewRows } from "../../platform/db/insert-rows.ts";
import { endAgents, type LeftProcess } from "../agents/build-service.ts";
import { renderAgents, type RenderContext } from "./build-context.ts";
import type { BuildContext } from "./context-queries.ts";
import { selectLastSucceeded } from "./predecessor-queries.ts";
import { resourceRows } from "./resource-rows.ts";

/** A build whose agents' processes run for another owner, with its resources and its driver. */
export interface Predecessor {
  readonly buildId: string;
  readonly resources: readonly DriverResource[];
  readonly driver: string;
}

/** The predecessor that a build finds while the workspace runs for another owner, and how to treat it. */
export interface Found {
  /**
   * `take-over`: the build is a claim, and the processes continue (docs/claims.md). `replace`: they end, and the agents of
   * the version being built are started, because it says so, names other agents, or has another driver.
   */
  readonly what: "take-over" | "replace";
  readonly predecessor: Predecessor;
}

/** Finds the previous build, if what it started runs for another owner; undefined otherwise. */
export async function findPredecessor(
  db: Queryable,
  context: BuildContext,
): Promise<Found | undefined> {
  if (context.transition !== "start" || context.build_number === 1) return undefined;
  const last = await selectLastSucceeded(db, context.workspace_id, context.build_number);
  if (last?.transition !== "start" || last.owner_id === context.build_owner_id) return undefined;
  const predecessor = { buildId: last.id, resources: last.resources, driver: last.driver };
  const goesOn = !restartsAtClaim(context.definition) && hasPlaceFor(context, predecessor);
  return { what: goesOn ? "take-over" : "replace", predecessor };
}

/** Returns whether the template wants nothing that runs in a prebuild to go on for its new owner. */
export function restartsAtClaim({ onClaim }: Pick<TemplateDefinition, "onClaim">): boolean {
  return onClaim === "restart";
}

/** Returns whether the running processes match the agents of the version being built, one to one. */
function hasPlaceFor(
  { definition }: Pick<BuildContext, "definition">,
  { resources, driver }: Predecessor,
): boolean {
  const running = new Set(resources.flatMap(({ agentNames }) => agentNames));
  const wanted = new Set(definition.agents.map(({ name }) => name));
  return driver === definition.driver && running.symmetricDifference(wanted).size === 0;
}

/** A build that takes over processes. */
export interface TakingOver {
  readonly context: RenderContext & Pick<BuildContext, "id" | "job_id">;
  readonly parameters: readonly NamedValue[];
}

/** Ends the agents from before a claim, and resolves to the rows of its resources and agents. */
export async function takeOver(
  trx: Transaction<DB>,
  secrets: SecretBox,
  build: TakingOver,
  { buildId, resources }: Pick<Predecessor, "buildId" | "resources">,
): Promise<readonly NewRows[]> {
  const processes = await endAgents(trx, buildId);
  return takeOverRows(secrets, build, { resources, processes });
}

/** Remains of a build, for the one that takes over. */
export interface Left extends Pick<Predecessor, "resources"> {
  readonly processes: ReadonlyMap<string, LeftProcess>;
}

/**
 * Returns the rows of a claim's resources and agents: they keep the names and tokens of their predecessors, which have
 * ended and whose processes continue, and take everything else from the template for the new owner.
 */
export function takeOverRows(
  secrets: SecretBox,
  { context, parameters }: TakingOver,
  { resources, processes }: Left,
): readonly NewRows[] {
  return resourceRows(secrets, {
    buildId: context.id,
    jobId: context.job_id,
    resources,
    definitions: renderAgents(context, parameters),
    processes,
  });
}
