import { randomUUID } from "node:crypto";

import type { DriverResource } from "@slipway/drivers";
import type { AgentDefinition } from "@slipway/template";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { NewRows } from "../../platform/db/insert-rows.ts";
import { type LeftProcess, newAgentRows } from "../agents/build-service.ts";

/** The output of a start. */
export interface StartResources {
  readonly buildId: string;
  readonly jobId: string;
  readonly resources: readonly DriverResource[];
  /** The definitions of all agents; those that no resource names are not created. */
  readonly definitions: readonly AgentDefinition[];
  /** The running processes that continue as the agents of these names. */
  readonly processes: ReadonlyMap<string, LeftProcess>;
}

/** Returns the rows of the resources that a start creates, with their agents. */
export function resourceRows(
  secrets: SecretBox,
  { buildId, jobId, resources, definitions, processes }: StartResources,
): readonly NewRows[] {
  const made = resources.map((resource) => ({ resource, id: randomUUID() }));
  const agents = made.flatMap(({ id: resourceId, resource: { agentNames } }) =>
    definitions
      .filter(({ name }) => agentNames.includes(name))
      .map((definition) => ({
        resourceId,
        buildId,
        definition,
        process: processes.get(definition.name),
      })),
  );
  const rows = made.map(({ id, resource: { type, name, icon = "" } }) => ({
    id,
    job_id: jobId,
    workspace_transition: "start" as const,
    type,
    name,
    icon,
  }));
  return [{ table: "workspace_resources", rows }, ...newAgentRows(secrets, agents)];
}
