import { definitionProblem, type TemplateDefinition } from "@slipway/template";

import type { DriverLog, DriverReading } from "../driver.ts";
import { DriverError } from "../errors.ts";
import { findParameterSources } from "./dependent-parameters.ts";
import { type DeclaredAgent, readAgents } from "./read-agents.ts";
import { readExternalAuth, readParameters, readPresets } from "./read-parameters.ts";
import { declaresExternalAgents, readResources } from "./read-resources.ts";
import { readTags } from "./read-tags.ts";
import { planRelations } from "./relations.ts";
import type { TerraformSession } from "./terraform-session.ts";
import { planResources, type TerraformResource } from "./values.ts";

const formsFollow =
  "some parameters depend on other values or on the owner: forms and builds read them from the configuration again";

/** Reads what a configuration declares from a plan of it. Throws a `DriverError` for what the server cannot keep. */
export async function readTemplate(
  session: TerraformSession,
  log: DriverLog,
  signal: AbortSignal,
): Promise<DriverReading> {
  await session.init(signal);
  await session.plan({ destroy: false }, signal);
  const plan = await session.showPlan(signal);
  const resources = planResources(plan);
  const parameterSources = findParameterSources(plan, resources);
  if (parameterSources !== undefined) log.write("info", "Planning", formsFollow);
  const relations = planRelations(plan, resources);
  const agents = readAgents(resources, relations);
  const declared = definitionOf(resources, agents);
  const { parameters } = declared;
  const tagged = await readTags(resources, { plan, directory: session.files, parameters });
  for (const warning of tagged.warnings) log.write("warn", "Planning", warning);
  const definition = {
    ...declared,
    ...(declaresExternalAgents(plan) ? { hasExternalAgents: true } : {}),
    ...(tagged.tags.length === 0 ? {} : { tags: tagged.tags }),
    parameterSources,
  };
  requireStorable(definition);
  return {
    definition,
    resources: readResources(resources, agents, relations),
    notes: await session.readLock(),
  };
}

/** Returns what a configuration declares; `requireStorable` checks it. */
export function definitionOf(
  resources: readonly TerraformResource[],
  agents: readonly DeclaredAgent[],
): TemplateDefinition {
  return {
    driver: "terraform",
    displayName: "",
    description: "",
    icon: "",
    parameters: readParameters(resources),
    presets: readPresets(resources),
    onClaim: undefined,
    externalAuth: readExternalAuth(resources),
    agents: agents.map((agent) => agent.definition),
  };
}

/** Throws a `DriverError` for a definition that the server cannot keep. */
export function requireStorable(definition: TemplateDefinition): void {
  const problem = definitionProblem(definition);
  if (problem !== undefined) throw new DriverError("invalid-template", problem);
}
