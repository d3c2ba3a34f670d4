import { type JsonObject, listOf, objectOf, textMapOf, textOf } from "@slipway/runtime";

import { ClusterError } from "../errors.ts";
import { type ClusterConnection, isExpired } from "./cluster-connection.ts";

/** The kinds of objects that the driver uses, with the paths of their lists. */
export const kinds = {
  pods: { apiVersion: "v1", kind: "Pod", list: "/api/v1/namespaces/{namespace}/pods" },
  events: { apiVersion: "v1", kind: "Event", list: "/api/v1/namespaces/{namespace}/events" },
  claims: {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    list: "/api/v1/namespaces/{namespace}/persistentvolumeclaims",
  },
  statefulSets: {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    list: "/apis/apps/v1/namespaces/{namespace}/statefulsets",
  },
  sandboxes: {
    apiVersion: "agents.x-k8s.io/v1beta1",
    kind: "Sandbox",
    list: "/apis/agents.x-k8s.io/v1beta1/namespaces/{namespace}/sandboxes",
  },
} as const;

export type ObjectKind = (typeof kinds)[keyof typeof kinds];

/** The owner of the fields that the driver applies. */
const fieldManager = "slipway";

/** The objects of one answer; the API server keeps the version for the next page some minutes. */
const pageSize = 500;

export function listPath({ endpoint }: ClusterConnection, { list }: ObjectKind): string {
  return list.replace("{namespace}", encodeURIComponent(endpoint.namespace));
}

function objectPath(connection: ClusterConnection, kind: ObjectKind, name: string): string {
  return `${listPath(connection, kind)}/${encodeURIComponent(name)}`;
}

/** The attempts to read a list, and to create an object whose name one that is being removed still has. */
const maxAttempts = 5;

/** Lists objects, in pages, with the version from which a watch goes on. */
export async function listObjects(
  connection: ClusterConnection,
  selection: {
    readonly path: string;
    readonly labelSelector?: string;
    readonly fieldSelector?: string;
  },
  signal: AbortSignal,
): Promise<{ readonly objects: readonly JsonObject[]; readonly version: string }> {
  const { path, labelSelector, fieldSelector } = selection;
  let objects: JsonObject[] = [];
  let next: string | undefined;
  for (let begun = 1; ;) {
    const query = { limit: String(pageSize), continue: next, labelSelector, fieldSelector };
    let page: JsonObject;
    try {
      page = await connection.json({ method: "GET", path, query, signal });
    } catch (error) {
      if (next === undefined || !isExpired(error) || begun >= maxAttempts) throw error;
      // The list has changed too much between two pages.
      begun += 1;
      objects = [];
      next = undefined;
      continue;
    }
    objects.push(...listOf(page["items"]).map(objectOf));
    const metadata = objectOf(page["metadata"]);
    next = textOf(metadata["continue"]);
    if (next === "") return { objects, version: textOf(metadata["resourceVersion"]) };
  }
}

/** Reads an object; undefined if there is none of the name. */
export async function readObject(
  connection: ClusterConnection,
  kind: ObjectKind,
  name: string,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const path = objectPath(connection, kind, name);
  return ignoreAbsent(connection.json({ method: "GET", path, signal }));
}

/** Creates an object, or returns the one that has its name. */
export async function createObject(
  connection: ClusterConnection,
  kind: ObjectKind,
  object: JsonObject,
  signal: AbortSignal,
): Promise<JsonObject> {
  const path = listPath(connection, kind);
  const body = { apiVersion: kind.apiVersion, kind: kind.kind, ...object };
  const query = { fieldManager };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connection.json({ method: "POST", path, query, body, signal });
    } catch (error) {
      if (!(error instanceof ClusterError && error.reason === "AlreadyExists")) throw error;
      const found = await readObject(connection, kind, nameOf(object), signal);
      if (found !== undefined) return found;
      // The one that had the name was removed in between.
      if (attempt >= maxAttempts) throw error;
    }
  }
}

/** Creates an object or makes an existing one what it should be. */
export async function applyObject(
  connection: ClusterConnection,
  kind: ObjectKind,
  object: JsonObject,
  signal: AbortSignal,
): Promise<JsonObject> {
  return connection.json({
    method: "PATCH",
    path: objectPath(connection, kind, nameOf(object)),
    query: { fieldManager, force: "true" },
    body: { apiVersion: kind.apiVersion, kind: kind.kind, ...object },
    contentType: "application/apply-patch+yaml",
    signal,
  });
}

/** Changes fields of an object; resolves to undefined if there is none of the name. */
export async function mergeObject(
  connection: ClusterConnection,
  kind: ObjectKind,
  name: string,
  body: JsonObject,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  return ignoreAbsent(
    connection.json({
      method: "PATCH",
      path: objectPath(connection, kind, name),
      query: { fieldManager },
      body,
      contentType: "application/merge-patch+json",
      signal,
    }),
  );
}

/** Deletes an object and, in the background, what belongs to it. Does nothing if it is gone. */
export async function deleteObject(
  connection: ClusterConnection,
  kind: ObjectKind,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const path = objectPath(connection, kind, name);
  const body = { propagationPolicy: "Background" };
  await ignoreAbsent(connection.json({ method: "DELETE", path, body, signal }));
}

async function ignoreAbsent(answer: Promise<JsonObject>): Promise<JsonObject | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ClusterError && error.status === 404) return undefined;
    throw error;
  }
}

export function nameOf(object: JsonObject): string {
  return textOf(objectOf(object["metadata"])["name"]);
}

export function uidOf(object: JsonObject): string {
  return textOf(objectOf(object["metadata"])["uid"]);
}

export function labelsOf(object: JsonObject): Readonly<Record<string, string>> {
  return textMapOf(objectOf(object["metadata"])["labels"]);
}

export function annotationsOf(object: JsonObject): Readonly<Record<string, string>> {
  return textMapOf(objectOf(object["metadata"])["annotations"]);
}

/** Returns whether an object is being deleted. */
export function isEnding(object: JsonObject): boolean {
  return textOf(objectOf(object["metadata"])["deletionTimestamp"]) !== "";
}
