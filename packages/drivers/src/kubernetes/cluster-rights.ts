import { objectOf } from "@slipway/runtime";

import { DriverError } from "../errors.ts";
import type { ClusterConnection } from "./cluster-connection.ts";
import type { PodOwner } from "./pod-owner.ts";

/** A kind of objects, and what the driver does with them. */
interface Right {
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
  /** True for what belongs to no namespace. */
  readonly isClusterWide?: boolean;
}

function ownerRight({ kind }: PodOwner): Right {
  const [group = ""] = kind.apiVersion.split("/");
  const resource = kind.list.slice(kind.list.lastIndexOf("/") + 1);
  return { group, resource, verbs: ["get", "list", "create", "patch", "delete"] };
}

function rightsFor(owner: PodOwner): readonly Right[] {
  return [
    ownerRight(owner),
    { group: "", resource: "pods", verbs: ["get", "list", "watch", "delete"] },
    { group: "", resource: "events", verbs: ["list", "watch"] },
    { group: "", resource: "persistentvolumeclaims", verbs: ["get", "list", "create", "delete"] },
    {
      group: "authentication.k8s.io",
      resource: "tokenreviews",
      verbs: ["create"],
      isClusterWide: true,
    },
  ];
}

/** Returns whether the API server lets the driver use a kind of objects for its agents. */
export async function mayOwn(
  connection: ClusterConnection,
  owner: PodOwner,
  signal: AbortSignal,
): Promise<boolean> {
  return (await findMissing(connection, [ownerRight(owner)], signal)).length === 0;
}

/** Asks the API server for the rights that the driver needs. Throws `not-startable`, naming those that are missing. */
export async function requireRights(
  connection: ClusterConnection,
  owner: PodOwner,
  signal: AbortSignal,
): Promise<void> {
  const names = await findMissing(connection, rightsFor(owner), signal);
  if (names.length === 0) return;
  throw new DriverError(
    "not-startable",
    `Kubernetes does not let the server ${names.join(", ")} (namespace ${connection.endpoint.namespace}): grant it the Role of docs/kubernetes.md`,
  );
}

/** Returns the names of the rights that are missing. */
async function findMissing(
  connection: ClusterConnection,
  rights: readonly Right[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { namespace } = connection.endpoint;
  const asked = rights.flatMap(({ verbs, ...right }) => verbs.map((verb) => ({ ...right, verb })));
  const missing = await Promise.all(
    asked.map(async ({ verb, group, resource, isClusterWide = false }) => {
      const attributes = { verb, group, resource, ...(!isClusterWide && { namespace }) };
      const isAllowed = await askFor(connection, attributes, signal);
      const name = `${verb} ${resource}${group === "" ? "" : `.${group}`}`;
      return isAllowed ? [] : [isClusterWide ? `${name} in the cluster` : name];
    }),
  );
  return missing.flat();
}

async function askFor(
  connection: ClusterConnection,
  resourceAttributes: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<boolean> {
  const { status } = await connection.json({
    method: "POST",
    path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    body: {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    },
    signal,
  });
  return objectOf(status)["allowed"] === true;
}
