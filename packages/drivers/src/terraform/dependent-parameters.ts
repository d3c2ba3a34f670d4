import { type JsonObject, listOf, objectOf, textOf } from "@slipway/runtime";
import type { ParameterSource } from "@slipway/template";

import { References } from "./references.ts";
import type { TerraformResource } from "./values.ts";

const parameter = /(^|\.)data\.coder_parameter\.[^.]+$/;
/** The data that a form changes, and locals, in which a plan does not show what they refer to. */
const changing = /(^|\.)(data\.(coder_parameter|coder_workspace_owner)|local)\.[^.]+$/;
/** The blocks of a parameter; a plan does not show dynamic ones. */
const blocks = ["option", "validation"] as const;

/**
 * Returns the places that declare parameters, if some of these depend on the values of others or on the owner of the workspace;
 * undefined if all are the same for everyone.
 */
export function findParameterSources(
  plan: JsonObject,
  resources: readonly TerraformResource[],
): readonly ParameterSource[] | undefined {
  const references = new References(plan);
  const addresses = references.addresses.filter((address) => parameter.test(address));
  const isDependent = addresses.some(
    (address) =>
      hasDynamicBlocks(references, address, resources) || reachesChanging(references, address),
  );
  if (!isDependent) return undefined;
  return addresses.map((address) => ({
    address,
    name: constantName(references, address),
    mayBeEphemeral: mayBeTrue(references.expressionOf(address, "ephemeral")),
  }));
}

/** Returns whether something that a form changes decides a parameter, if only through other data. */
function reachesChanging(references: References, start: string): boolean {
  const seen = new Set([start]);
  // Grows while it is read.
  for (const address of seen) {
    if (address !== start && changing.test(address)) return true;
    for (const one of [...references.of(address), ...references.ofCount(address)]) seen.add(one);
  }
  return false;
}

function hasDynamicBlocks(
  references: References,
  address: string,
  resources: readonly TerraformResource[],
): boolean {
  const instances = resources.filter(({ configAddress }) => configAddress === address);
  return blocks.some(
    (block) =>
      references.expressionOf(address, block) === undefined &&
      instances.some(({ values }) => listOf(values[block]).length > 0),
  );
}

function constantName(references: References, address: string): string | undefined {
  const name = textOf(objectOf(references.expressionOf(address, "name"))["constant_value"]);
  return name === "" ? undefined : name;
}

function mayBeTrue(expression: unknown): boolean {
  return expression !== undefined && objectOf(expression)["constant_value"] !== false;
}
