import { type JsonObject, listOf, numberOf, objectOf, textOf } from "@slipway/runtime";
import { externalAgentType } from "@slipway/template";

import type { DriverResource } from "../driver.ts";
import type { DeclaredAgent, PlacesOf } from "./read-agents.ts";
import { References } from "./references.ts";
import type { TerraformResource } from "./values.ts";

/** Returns the resource that a `coder_metadata` describes. */
export type DescribedBy = (metadata: TerraformResource) => TerraformResource | undefined;

/** Reads the resources that a workspace consists of, with their agents and what the configuration says about them. */
export function readResources(
  resources: readonly TerraformResource[],
  agents: readonly DeclaredAgent[],
  { placesOf, describedBy }: { readonly placesOf: PlacesOf; readonly describedBy: DescribedBy },
): readonly DriverResource[] {
  const places = new Map(
    agents.map(({ resource, definition }) => [
      definition.name,
      (placesOf(resource)[0] ?? resource).address,
    ]),
  );
  const metadata = resources.filter(({ isData, type }) => !isData && type === "coder_metadata");
  return resources
    .filter((one) => isListed(one) || [...places.values()].includes(one.address))
    .map((one) =>
      driverResource(one, {
        agentNames: [...places].flatMap(([name, at]) => (at === one.address ? [name] : [])),
        metadata: metadata.find((item) => describedBy(item)?.address === one.address),
      }),
    );
}

/** Declarations for the server that are listed with a resource, and not as one. */
const unlistedTypes: ReadonlySet<string> = new Set([
  "coder_agent",
  "coder_agent_instance",
  "coder_app",
  "coder_metadata",
  "coder_script",
]);

/** Reports whether a resource is listed: stock servers list some declarations too, such as `coder_env`. */
function isListed({ isData, type }: TerraformResource): boolean {
  return !isData && !unlistedTypes.has(type);
}

/** Reports whether a configuration declares agents that people start, for any values of its parameters. */
export function declaresExternalAgents(plan: JsonObject): boolean {
  // The last two words of an address are the type and the name.
  return new References(plan).addresses.some((one) => one.split(".").at(-2) === externalAgentType);
}

/** Reports whether a resource is more than a declaration for the server. */
export function isInfrastructure({ isData, type }: TerraformResource): boolean {
  return !isData && (!type.startsWith("coder_") || type === externalAgentType);
}

interface ResourceParts {
  readonly agentNames: readonly string[];
  readonly metadata: TerraformResource | undefined;
}

function driverResource(
  { type, name }: TerraformResource,
  { agentNames, metadata }: ResourceParts,
): DriverResource {
  return { type, name, ...description(metadata), agentNames };
}

function description(
  metadata: TerraformResource | undefined,
): Omit<DriverResource, "type" | "name" | "agentNames"> {
  if (metadata === undefined) return {};
  const { values } = metadata;
  return {
    icon: textOf(values["icon"]),
    isHidden: values["hide"] === true,
    dailyCost: numberOf(values["daily_cost"]),
    metadata: listOf(values["item"]).flatMap((one) => {
      const item = objectOf(one);
      if (item["is_null"] === true) return [];
      return [
        {
          key: textOf(item["key"]),
          value: textOf(item["value"]),
          isSensitive: item["sensitive"] === true,
        },
      ];
    }),
  };
}
