import { externalAgentType, textProblem } from "@slipway/template";

import type { DriverBuild } from "../driver-build.ts";
import type { DriverLog, DriverResult, StartedAgent } from "../driver.ts";
import { DriverError } from "../errors.ts";
import { identityAuth } from "./machine-identity.ts";
import { type DeclaredAgent, readAgents } from "./read-agents.ts";
import { readResources } from "./read-resources.ts";
import { definitionOf, requireStorable } from "./read-template.ts";
import { stateRelations } from "./relations.ts";
import type { TerraformSession } from "./terraform-session.ts";
import type { TerraformResource } from "./values.ts";

/** Reads the resources and agents of a state. */
export function resultOf(
  resources: readonly TerraformResource[],
  { changes }: TerraformSession,
  build: DriverBuild,
  log: DriverLog,
): Omit<DriverResult, "state"> {
  const relations = stateRelations(resources);
  const declared = readAgents(resources, relations);
  requireStorable(definitionOf(resources, declared));
  const described = readResources(resources, declared, relations);
  const problem = textProblem(described);
  if (problem !== undefined) throw new DriverError("run-failed", `metadata: ${problem}`);
  if (build.transition === "start") warnOfUnknownMachines(declared, log);
  const running = new Map(build.agents.map(({ name, token }) => [name, token]));
  const agents = declared.map((agent) =>
    startedAgent(agent, relations.placesOf(agent.resource), { changes, running }),
  );
  requireOwnTokens(agents);
  return { resources: described, agents };
}

function requireOwnTokens(agents: readonly StartedAgent[]): void {
  const names = new Map<string, string>();
  for (const { definition, token } of agents) {
    const other = token === "" ? undefined : names.get(token);
    if (other !== undefined) {
      const pair = `${other} and ${definition.name}`;
      throw new DriverError(
        "run-failed",
        `agents ${pair} have the same token, wanted one for each`,
      );
    }
    names.set(token, definition.name);
  }
}

/** Tells which agents cannot prove their identity: they connect only with their tokens. */
function warnOfUnknownMachines(agents: readonly DeclaredAgent[], log: DriverLog): void {
  for (const { resource, definition } of agents) {
    const auth = identityAuth(resource);
    if (auth === undefined || definition.identity !== undefined) continue;
    const text = `${resource.address} has auth = "${auth}", and no machine of that cloud depends on it: pass its init_script to the machine, or name the machine in a coder_agent_instance`;
    log.write("warn", "Applying", text);
  }
}

interface LastAgents {
  readonly changes: ReadonlyMap<string, string>;
  /** The tokens of the running agents by name. */
  readonly running: ReadonlyMap<string, string>;
}

/**
 * Returns an agent with the token that its process has. The provider gives agents new tokens in many builds, but a process
 * learns its token only when what it runs on is created or changed; one that a person started keeps the token that they have.
 */
function startedAgent(
  { resource, definition }: DeclaredAgent,
  places: readonly TerraformResource[],
  { changes, running }: LastAgents,
): StartedAgent {
  const present = running.get(definition.name) ?? "";
  const stays =
    places.length > 0 &&
    places.every(({ type, address }) => type === externalAgentType || !changes.has(address));
  const token = resource.values["token"];
  if (present !== "" && stays) return { definition, token: present };
  return { definition, token: typeof token === "string" ? token : "" };
}
