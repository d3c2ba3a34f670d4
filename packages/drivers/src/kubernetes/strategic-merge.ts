import { type JsonObject, listOf, objectOf, textOf } from "@slipway/runtime";

/*
 * Strategic merge patches, as the API server merges them into pods: maps merge by key, null removes a key, and lists whose
 * items have a key merge by it. `$patch: delete` removes an item, `$patch: replace` replaces a map or a list as a whole.
 */

/** The keys by which lists of a pod's specification merge; other lists are replaced. */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: "name",
  initContainers: "name",
  ephemeralContainers: "name",
  volumes: "name",
  env: "name",
  imagePullSecrets: "name",
  resourceClaims: "name",
  volumeMounts: "mountPath",
  volumeDevices: "devicePath",
  ports: "containerPort",
  hostAliases: "ip",
  topologySpreadConstraints: "topologyKey",
};

/** Returns an object with a patch merged into it; neither is changed. */
export function strategicMerge(base: JsonObject, patch: JsonObject): JsonObject {
  const { $patch: directive, ...changes } = patch;
  const merged = new Map(directive === "replace" ? [] : Object.entries(base));
  for (const [name, change] of Object.entries(changes)) {
    if (change === null) merged.delete(name);
    else merged.set(name, mergeValue(name, merged.get(name), change));
  }
  return Object.fromEntries(merged);
}

function mergeValue(name: string, base: unknown, change: unknown): unknown {
  if (Array.isArray(change)) {
    const key = mergeKeys[name];
    return key === undefined ? change : mergeList(listOf(base), change, key);
  }
  return typeof change === "object" && change !== null
    ? strategicMerge(objectOf(base), objectOf(change))
    : change;
}

function mergeList(
  base: readonly unknown[],
  changes: readonly unknown[],
  key: string,
): readonly unknown[] {
  const isReplaced = changes.some((one) => isDirective(one, "replace") && !hasKey(one, key));
  const merged = new Map<unknown, JsonObject>();
  for (const one of isReplaced ? [] : base) merged.set(objectOf(one)[key], objectOf(one));
  for (const one of changes) {
    const change = objectOf(one);
    const name = change[key];
    if (name === undefined) continue;
    if (isDirective(one, "delete")) merged.delete(name);
    else merged.set(name, strategicMerge(merged.get(name) ?? {}, change));
  }
  return [...merged.values()];
}

function isDirective(value: unknown, directive: string): boolean {
  return textOf(objectOf(value)["$patch"]) === directive;
}

function hasKey(value: unknown, key: string): boolean {
  return objectOf(value)[key] !== undefined;
}
