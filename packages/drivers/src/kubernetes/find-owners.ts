import { listOf, objectOf } from "@slipway/runtime";

import { ClusterError } from "../errors.ts";
import type { ClusterConnection } from "./cluster-connection.ts";
import { kinds } from "./cluster-objects.ts";
import { mayOwn } from "./cluster-rights.ts";
import { type PodOwner, sandbox, statefulSet } from "./pod-owner.ts";

/** The kinds of objects that run agents: that of new agents first, then others that earlier ones may have. */
export type PodOwners = readonly [PodOwner, ...PodOwner[]];

/** Asks the cluster which kinds there are: sandboxes if it has them and lets the server use them, and sets otherwise. */
export async function findOwners(
  connection: ClusterConnection,
  signal: AbortSignal,
): Promise<PodOwners> {
  const hasSandboxes = await servesSandboxes(connection, signal);
  return hasSandboxes && (await mayOwn(connection, sandbox, signal))
    ? [sandbox, statefulSet]
    : [statefulSet];
}

async function servesSandboxes(
  connection: ClusterConnection,
  signal: AbortSignal,
): Promise<boolean> {
  const path = `/apis/${kinds.sandboxes.apiVersion}`;
  try {
    const { resources } = await connection.json({ method: "GET", path, signal });
    return listOf(resources).some((one) => objectOf(one)["kind"] === kinds.sandboxes.kind);
  } catch (error) {
    if (error instanceof ClusterError && error.status === 404) return false;
    throw error;
  }
}
