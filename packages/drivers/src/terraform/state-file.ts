import {
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  parseObject,
  textOf,
  textsOf,
} from "@slipway/runtime";

import { configAddress, type TerraformResource } from "./values.ts";

/*
 * The state as the program itself keeps it (`terraform.tfstate`, version 4, which all releases since 2019 write). `show` says
 * the same in its own form, but starts the program and all providers for it, which takes as long as a plan.
 */

/** Returns the newer of two states of a workspace: an interrupted run may have left one that is not kept yet. */
export function newerState(
  kept: Uint8Array | undefined,
  left: Uint8Array | undefined,
): Uint8Array | undefined {
  const keptState = parseState(kept);
  const leftState = parseState(left);
  if (leftState === undefined) return kept;
  if (keptState === undefined) return left;
  const isSame = textOf(keptState["lineage"]) === textOf(leftState["lineage"]);
  return isSame && numberOf(leftState["serial"]) > numberOf(keptState["serial"]) ? left : kept;
}

const stateVersion = 4;

/** Returns why a pushed state cannot follow the kept one; the program itself compares them in the same way. */
export function pushedStateProblem(
  pushed: Uint8Array,
  kept: Uint8Array | undefined,
  { isForced, maxBytes }: { readonly isForced: boolean; readonly maxBytes: number },
): string | undefined {
  if (pushed.length > maxBytes) {
    return `has ${pushed.length} bytes, wanted at most ${maxBytes}`;
  }
  const state = parseState(pushed);
  if (state === undefined) {
    return "is not a JSON object: push the file that `slipway state pull` writes";
  }
  const { version, lineage, serial } = state;
  if (version !== stateVersion) {
    const found = JSON.stringify(version) ?? "none";
    return `has version ${found.slice(0, 20)}, wanted ${stateVersion}: write it with the release of OpenTofu or Terraform that the server uses`;
  }
  if (typeof lineage !== "string" || lineage === "") return "has no lineage";
  if (typeof serial !== "number" || !Number.isSafeInteger(serial) || serial < 0) {
    return "has no serial";
  }
  if (isForced) return undefined;
  const current = parseState(kept);
  if (current === undefined) return undefined;
  const keptLineage = textOf(current["lineage"]);
  const keptSerial = numberOf(current["serial"]);
  if (lineage !== keptLineage) {
    return `is that of something else: it has the lineage ${lineage.slice(0, 60)}, and the workspace's state has ${keptLineage}. Pull the state, change that and push it, or force the push`;
  }
  if (serial < keptSerial) {
    return `is older than the workspace's: it has the serial ${serial}, wanted ${keptSerial} or more. Pull the newest state, change that and push it, or force the push`;
  }
  return undefined;
}

/** Returns why a state is too large to go on with; undefined if it is not. */
export function stateSizeProblem(
  state: Uint8Array | undefined,
  maxBytes: number,
): string | undefined {
  const size = state?.length ?? 0;
  if (size <= maxBytes) return undefined;
  return `the state has ${size} bytes, wanted at most ${maxBytes}: keep large values, such as contents of files, out of the attributes of resources`;
}

/** Reports whether a state is not cut off. */
export function isWholeState(state: Uint8Array): boolean {
  return parseState(state) !== undefined;
}

/** Reports whether the state has nothing to remove. */
export function isEmptyState(state: Uint8Array | undefined): boolean {
  return listOf(parseState(state)?.["resources"]).every(
    (one) => objectOf(one)["mode"] !== "managed",
  );
}

/** Lists the addresses of everything that the state manages, and that is more than a declaration for the server. */
export function managedAddresses(state: Uint8Array | undefined): readonly string[] {
  return listOf(parseState(state)?.["resources"]).flatMap((one) => {
    const { mode, type, name, module } = objectOf(one);
    if (mode !== "managed" || textOf(type).startsWith("coder_")) return [];
    const path = textOf(module);
    return [`${path === "" ? "" : `${path}.`}${textOf(type)}.${textOf(name)}`];
  });
}

/** Reports whether infrastructure runs with the token of the agent with a name. */
export function hasAgentPlaces(state: Uint8Array | undefined, name: string): boolean {
  return listOf(parseState(state)?.["resources"]).some((one) => {
    const { mode, type, instances } = objectOf(one);
    if (mode !== "managed" || textOf(type).startsWith("coder_")) return false;
    return listOf(instances).some((instance) =>
      textsOf(objectOf(instance)["dependencies"]).some((address) =>
        `.${configAddress(address)}`.endsWith(`.coder_agent.${name}`),
      ),
    );
  });
}

/**
 * Reads the resources of a state; undefined if it has another version or is encrypted, so that only the program can
 * read it.
 */
export function resourcesOf(
  state: Uint8Array | undefined,
): readonly TerraformResource[] | undefined {
  const parsed = parseState(state);
  if (parsed?.["version"] !== stateVersion) return undefined;
  return listOf(parsed["resources"]).flatMap((one) => {
    const resource = objectOf(one);
    return listOf(resource["instances"])
      .map(objectOf)
      .filter((instance) => instance["deposed"] === undefined)
      .map((instance) => resourceOf(resource, instance));
  });
}

function resourceOf(resource: JsonObject, instance: JsonObject): TerraformResource {
  const [type, name, module] = [resource["type"], resource["name"], resource["module"]].map(textOf);
  const isData = resource["mode"] === "data";
  const parts = [...(module ? [module] : []), ...(isData ? ["data"] : []), type, name];
  const index = instance["index_key"];
  const key = typeof index === "number" || typeof index === "string" ? index : undefined;
  const address = `${parts.join(".")}${key === undefined ? "" : `[${JSON.stringify(key)}]`}`;
  return {
    address,
    configAddress: configAddress(address),
    key,
    isData,
    type: type ?? "",
    name: name ?? "",
    values: objectOf(instance["attributes"]),
    dependsOn: textsOf(instance["dependencies"]).map(configAddress),
  };
}

function parseState(state: Uint8Array | undefined) {
  return state === undefined ? undefined : parseObject(Buffer.from(state).toString());
}
