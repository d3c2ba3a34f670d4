import { type JsonObject, textOf } from "@slipway/runtime";

import { type AgentOf, isAgent, type PlacesOf } from "./read-agents.ts";
import { type DescribedBy, isInfrastructure } from "./read-resources.ts";
import { References } from "./references.ts";
import type { TerraformResource } from "./values.ts";

/** The relations between the parts of a workspace. */
export interface Relations {
  readonly agentOf: AgentOf;
  readonly placesOf: PlacesOf;
  readonly describedBy: DescribedBy;
}

/** Finds the relations in a state, where ids are known, and everything that a resource depends on. */
export function stateRelations(resources: readonly TerraformResource[]): Relations {
  const withId = (id: unknown, isWanted: (one: TerraformResource) => boolean) =>
    textOf(id) === ""
      ? undefined
      : resources.find((one) => one.values["id"] === id && isWanted(one));
  return {
    agentOf: ({ values }) => withId(values["agent_id"], isAgent),
    describedBy: ({ values }) => withId(values["resource_id"], isInfrastructure),
    placesOf: (agent) => {
      const dependent = resources.filter(
        (one) => isInfrastructure(one) && one.dependsOn.includes(agent.configAddress),
      );
      // The nearest ones depend on no other of them.
      const isFar = (one: TerraformResource): boolean =>
        dependent.some((other) => other !== one && one.dependsOn.includes(other.configAddress));
      return dependent.toSorted(
        (a, b) => Number(isFar(a)) - Number(isFar(b)) || (a.address < b.address ? -1 : 1),
      );
    },
  };
}

/** Finds the relations in a plan, by the references of its configuration. */
export function planRelations(
  plan: JsonObject,
  resources: readonly TerraformResource[],
): Relations {
  const references = new References(plan);
  const agents = resources.filter(isAgent);
  const named = (one: TerraformResource, argument: string): readonly TerraformResource[] => {
    const addresses = references.ofArgument(one.configAddress, argument);
    const found = resources.filter(({ configAddress }) => addresses.includes(configAddress));
    // Instances of both sides are mostly made for the same keys.
    return found.toSorted((a, b) => Number(b.key === one.key) - Number(a.key === one.key));
  };
  return {
    // A reference through a local is not shown; most templates have one agent.
    agentOf: (one) =>
      named(one, "agent_id").find(isAgent) ?? (agents.length === 1 ? agents[0] : undefined),
    describedBy: (one) => named(one, "resource_id").find(isInfrastructure),
    placesOf: (agent) => {
      const distances = distancesFrom(agent.configAddress, references);
      const distanceOf = (one: TerraformResource): number =>
        distances.get(one.configAddress) ?? Infinity;
      return resources
        .filter((one) => isInfrastructure(one) && distanceOf(one) < Infinity)
        .toSorted((a, b) => distanceOf(a) - distanceOf(b) || (a.address < b.address ? -1 : 1));
    },
  };
}

/** Returns the number of references from each dependent resource to an address. */
function distancesFrom(start: string, references: References): ReadonlyMap<string, number> {
  const distances = new Map([[start, 0]]);
  let frontier = [start];
  for (let distance = 1; frontier.length > 0; distance += 1) {
    const next = references.addresses.filter(
      (address) =>
        !distances.has(address) && references.of(address).some((one) => frontier.includes(one)),
    );
    for (const address of next) distances.set(address, distance);
    frontier = next;
  }
  return distances;
}
