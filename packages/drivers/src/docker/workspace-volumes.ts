import type { DriverContainer } from "../driver-build.ts";
import { DriverError, EngineError } from "../errors.ts";
import { isEmptyDirectory } from "./container-files.ts";
import type { EngineContext } from "./engine-context.ts";
import { createVolume, type FoundVolume, listVolumes, removeVolume } from "./engine-resources.ts";
import { withHelper } from "./helper-container.ts";
import { hasMark, isOriginal, labelNames, markOf, volumeName, workspaceFilter } from "./marks.ts";

export interface MountedVolumes {
  /** As the engine takes them. */
  readonly mounts: readonly unknown[];
  /** The uids that own them, by their paths. */
  readonly owners: ReadonlyMap<string, number>;
}

export interface VolumesInput {
  readonly workspaceId: string;
  readonly volumes: DriverContainer["volumes"];
  /** The user who will own new volumes. */
  readonly uid: number;
  /** An image for a container that looks into a volume. */
  readonly imageId: string;
}

/** Creates the missing volumes of a container. Throws `not-startable` for a name that someone else has taken. */
export async function provideVolumes(
  context: EngineContext,
  input: VolumesInput,
  signal: AbortSignal,
): Promise<MountedVolumes> {
  const mounts: unknown[] = [];
  const owners = new Map<string, number>();
  for (const volume of input.volumes) {
    const { name, labels } = await provideVolume(context, volume.name, input, signal);
    context.log.write("debug", "Starting agents", `volume ${volume.name} is ${name}`);
    owners.set(volume.path, Number(labels[labelNames.owner]));
    mounts.push({ Type: "volume", Source: name, Target: volume.path, ReadOnly: volume.isReadOnly });
  }
  return { mounts, owners };
}

async function provideVolume(
  context: EngineContext,
  volume: string,
  { workspaceId, uid, imageId }: VolumesInput,
  signal: AbortSignal,
): Promise<FoundVolume> {
  const { engine, deploymentId } = context;
  const name = volumeName(workspaceId, volume);
  const labels = {
    ...markOf({ deploymentId, kind: "volume", name }),
    [labelNames.workspace]: workspaceId,
    [labelNames.volume]: volume,
    [labelNames.owner]: String(uid),
  };
  const found = await createVolume(engine, name, labels, signal);
  if (isOfWorkspace(found, deploymentId, workspaceId)) return found;
  // A daemon that was killed while it created a volume left it without its labels.
  const isUnlabeled = Object.keys(found.labels).length === 0;
  if (isUnlabeled && (await isEmptyVolume(context, { name, imageId }, signal))) {
    await removeVolume(engine, name, signal);
    const created = await createVolume(engine, name, labels, signal);
    if (isOfWorkspace(created, deploymentId, workspaceId)) return created;
  }
  throw new DriverError(
    "not-startable",
    `the volume ${name} was not created by this server: remove or rename it`,
  );
}

const inspectedPath = "/volume";

/** Looks into a volume, from a container that is never started. */
function isEmptyVolume(
  context: EngineContext,
  { name, imageId }: { readonly name: string; readonly imageId: string },
  signal: AbortSignal,
): Promise<boolean> {
  const mount = {
    Type: "volume",
    Source: name,
    Target: inspectedPath,
    VolumeOptions: { NoCopy: true },
  };
  const config = {
    Image: imageId,
    Entrypoint: ["/bin/sh"],
    User: "0",
    NetworkDisabled: true,
    HostConfig: { NetworkMode: "none", Mounts: [mount] },
  };
  return withHelper(context, config, signal, (helper) =>
    isEmptyDirectory(context.engine, helper, inspectedPath, signal),
  );
}

function isOfWorkspace(found: FoundVolume, deploymentId: string, workspaceId: string): boolean {
  return (
    hasMark(found, { deploymentId, kind: "volume" }) &&
    found.labels[labelNames.workspace] === workspaceId
  );
}

/** Lists the volumes of a workspace by the names that the template gives them. */
export async function findVolumes(
  { engine, deploymentId }: EngineContext,
  workspaceId: string,
  signal: AbortSignal,
): Promise<readonly FoundVolume[]> {
  const filter = workspaceFilter({ deploymentId, kind: "volume" }, workspaceId);
  return (await listVolumes(engine, filter, signal)).filter(isOriginal);
}

/** Removes the volumes of a workspace. Throws `still-running` for one that a container of someone else uses. */
export async function removeVolumes(
  context: EngineContext,
  workspaceId: string,
  signal: AbortSignal,
): Promise<void> {
  for (const { name } of await findVolumes(context, workspaceId, signal)) {
    context.log.write("info", "Removing the workspace", `removing volume ${name}`);
    try {
      await removeVolume(context.engine, name, signal);
    } catch (error) {
      if (!(error instanceof EngineError && error.status === 409)) throw error;
      const message = `cannot remove volume ${name}: ${error.message}`;
      throw new DriverError("still-running", message, { cause: error });
    }
  }
}
