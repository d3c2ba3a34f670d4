import type { JsonObject } from "@slipway/runtime";

import type { DriverContainer } from "../driver-build.ts";
import { DriverError } from "../errors.ts";
import { volumeClaim } from "./agent-pod.ts";
import type { BuildContext, ClusterContext } from "./cluster-context.ts";
import {
  createObject,
  deleteObject,
  isEnding,
  kinds,
  listObjects,
  listPath,
  nameOf,
} from "./cluster-objects.ts";
import {
  agentSelector,
  type MarkedAgent,
  type ObjectPlace,
  readMarks,
  readVolumeMark,
  volumeClaimName,
  volumeLabels,
  volumeSelector,
} from "./pod-marks.ts";
import type { PodOwner } from "./pod-owner.ts";

/** An object that runs an agent of a workspace. */
export interface FoundAgent {
  readonly owner: PodOwner;
  readonly name: string;
  readonly marks: MarkedAgent;
  readonly object: Readonly<Record<string, unknown>>;
}

/** Lists the objects that run the agents of a workspace; copies of them are left out. */
export async function findAgents(
  { connection, deploymentId, owners }: BuildContext,
  workspaceId: string,
  signal: AbortSignal,
): Promise<readonly FoundAgent[]> {
  const labelSelector = agentSelector(deploymentId, workspaceId);
  const found = await Promise.all(
    owners.map(async (owner) => {
      const path = listPath(connection, owner.kind);
      const { objects } = await listObjects(connection, { path, labelSelector }, signal);
      return objects.flatMap((object) => {
        const marks = readMarks(object, deploymentId);
        return marks === undefined ? [] : [{ owner, name: nameOf(object), marks, object }];
      });
    }),
  );
  return found.flat();
}

/** Creates the missing volumes of a container. Throws `not-startable` for a name that someone else has taken. */
export async function provideVolumes(
  context: ClusterContext,
  place: ObjectPlace,
  { volumes, kubernetes }: DriverContainer,
  signal: AbortSignal,
): Promise<void> {
  for (const { name: volume } of volumes) {
    const name = volumeClaimName(place, volume);
    const claim = volumeClaim(name, volumeLabels(place, volume), kubernetes);
    const found = await createClaim(context, claim, signal);
    if (readVolumeMark(found, place) === undefined) {
      throw new DriverError(
        "not-startable",
        `the volume claim ${name} was not created by this server: remove or rename it`,
      );
    }
    context.log.write("debug", "Starting agents", `volume ${volume} is ${name}`);
  }
}

/** The attempts to create a claim whose name one that is being deleted still has, and the time between two. */
const maxAttempts = 60;
const attemptMs = 1_000;

/** Creates a claim, or returns the one that has its name. */
async function createClaim(
  { connection, clock }: ClusterContext,
  claim: JsonObject,
  signal: AbortSignal,
): Promise<JsonObject> {
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const found = await createObject(connection, kinds.claims, claim, signal);
    if (!isEnding(found)) return found;
    await clock.sleep(attemptMs, signal);
  }
  throw new DriverError(
    "still-running",
    `the volume claim ${nameOf(claim)} is being deleted, which something prevents: see its finalizers and the pods that use it`,
  );
}

/** Lists the volumes of a workspace by the names that the template gives them. */
export async function findVolumes(
  { connection }: ClusterContext,
  place: ObjectPlace,
  signal: AbortSignal,
): Promise<readonly { readonly name: string; readonly volume: string }[]> {
  const path = listPath(connection, kinds.claims);
  const labelSelector = volumeSelector(place);
  const { objects } = await listObjects(connection, { path, labelSelector }, signal);
  return objects.flatMap((claim) => {
    const volume = readVolumeMark(claim, place);
    return volume === undefined ? [] : [{ name: nameOf(claim), volume }];
  });
}

/** Removes the volumes of a workspace. */
export async function removeVolumes(
  context: ClusterContext,
  place: ObjectPlace,
  signal: AbortSignal,
): Promise<void> {
  for (const { name, volume } of await findVolumes(context, place, signal)) {
    context.log.write("info", "Removing the workspace", `removing volume ${volume} (${name})`);
    await deleteObject(context.connection, kinds.claims, name, signal);
  }
}
