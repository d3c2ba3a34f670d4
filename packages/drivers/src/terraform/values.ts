import { type JsonObject, listOf, objectOf, textOf, textsOf } from "@slipway/runtime";

/** A resource or data source of a plan or a state. */
export interface TerraformResource {
  /** The address of the instance: `module.ide.coder_app.code[0]`. */
  readonly address: string;
  /** The address in the configuration, without the keys of instances: `module.ide.coder_app.code`. */
  readonly configAddress: string;
  /** The key of the instance: `0` or `"main"`; undefined for the only one. */
  readonly key: number | string | undefined;
  readonly isData: boolean;
  readonly type: string;
  readonly name: string;
  readonly values: JsonObject;
  /** The configuration addresses of everything that it depends on; empty in a plan. */
  readonly dependsOn: readonly string[];
}

/** Reads the resources of a plan: the planned ones, and data sources that were read for it. */
export function planResources(plan: JsonObject): readonly TerraformResource[] {
  const planned = moduleResources(objectOf(objectOf(plan["planned_values"])["root_module"]));
  const prior = objectOf(objectOf(plan["prior_state"])["values"]);
  const read = moduleResources(objectOf(prior["root_module"])).filter(({ isData }) => isData);
  const addresses = new Set(read.map(({ address }) => address));
  return [...read, ...planned.filter(({ address }) => !addresses.has(address))];
}

/** Reads the resources of a state, or of nothing if it is empty. */
export function stateResources(state: JsonObject): readonly TerraformResource[] {
  return moduleResources(objectOf(objectOf(state["values"])["root_module"]));
}

function moduleResources(module: JsonObject): readonly TerraformResource[] {
  const own = listOf(module["resources"]).map((one) => readResource(objectOf(one)));
  const children = listOf(module["child_modules"]);
  return [...own, ...children.flatMap((child) => moduleResources(objectOf(child)))];
}

function readResource(resource: JsonObject): TerraformResource {
  const address = textOf(resource["address"]);
  const key = resource["index"];
  return {
    address,
    configAddress: configAddress(address),
    key: typeof key === "number" || typeof key === "string" ? key : undefined,
    isData: resource["mode"] === "data",
    type: textOf(resource["type"]),
    name: textOf(resource["name"]),
    values: objectOf(resource["values"]),
    dependsOn: textsOf(resource["depends_on"]).map(configAddress),
  };
}

/** Removes the keys of instances from an address; a key may be any quoted text. */
export function configAddress(address: string): string {
  return address.replaceAll(/\[(?:\d+|"(?:[^"\\]|\\.)*")\]/g, "");
}
