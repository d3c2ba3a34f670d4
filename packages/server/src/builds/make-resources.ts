import { randomUUID } from "node:crypto";

import { type LeftToken, makeAgents } from "../agents/build-service.ts";
import type { SecretBox } from "../auth/secret-box.ts";
import type { Queryable } from "../db/database.ts";
import type { DriverResource } from "../drivers/driver.ts";
import type { AgentDefinition } from "../template-format/definition.ts";
import { insertResources } from "./resource-queries.ts";

/** What a start makes. */
export interface Made {
  readonly buildId: string;
  readonly jobId: string;
  readonly resources: readonly DriverResource[];
  /** Of all agents; those that no resource names are not made. */
  readonly definitions: readonly AgentDefinition[];
  /** Of processes that go on as the agents of these names. */
  readonly tokens: ReadonlyMap<string, LeftToken>;
}

/** Notes the resources that a start makes, with the agents in them. */
export async function makeResources(
  trx: Queryable,
  secrets: SecretBox,
  { buildId, jobId, resources, definitions, tokens }: Made,
): Promise<void> {
  const made = resources.map((resource) => ({ resource, id: randomUUID() }));
  await insertResources(
    trx,
    made.map(({ id, resource: { type, name, icon = "" } }) => ({
      id,
      jobId,
      transition: "start",
      type,
      name,
      icon,
    })),
  );
  const agents = made.flatMap(({ id: resourceId, resource: { agentNames } }) =>
    definitions
      .filter(({ name }) => agentNames.includes(name))
      .map((definition) => ({
        resourceId,
        buildId,
        definition,
        token: tokens.get(definition.name),
      })),
  );
  await makeAgents(trx, secrets, agents);
}
