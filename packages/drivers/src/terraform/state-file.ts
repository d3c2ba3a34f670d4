import { listOf, numberOf, objectOf, parseObject, textOf, textsOf } from "@slipway/runtime";

import { configAddress } from "./values.ts";

/*
 * The state as the program itself keeps it (`terraform.tfstate`, version 4). Only what tells one state from another is
 * read here; everything else comes from `show`.
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

/** Reports whether infrastructure runs with the token of an agent. */
export function hasAgentPlaces(state: Uint8Array | undefined): boolean {
  return listOf(parseState(state)?.["resources"]).some((one) => {
    const { mode, type, instances } = objectOf(one);
    if (mode !== "managed" || textOf(type).startsWith("coder_")) return false;
    return listOf(instances).some((instance) =>
      textsOf(objectOf(instance)["dependencies"]).some((address) =>
        /(^|\.)coder_agent\.[^.]+$/.test(configAddress(address)),
      ),
    );
  });
}

function parseState(state: Uint8Array | undefined) {
  return state === undefined ? undefined : parseObject(Buffer.from(state).toString());
}
