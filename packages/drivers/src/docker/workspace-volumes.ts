import type { DriverContainer } from "../driver-build.ts";
import { DriverError, EngineError } from "../errors.ts";
import type { EngineContext } from "./engine-context.ts";
import { createVolume, type FoundVolume, listVolumes, removeVolume } from "./engine-resources.ts";
import { hasMark, isOriginal, labelNames, markOf, volumeName, workspaceFilter } from "./marks.ts";

export interface MountedVolumes {
  /** As the engine takes them. */
  readonly mounts: readonly unknown[];
  /** The uids that own them, by their paths. */
  readonly owners: ReadonlyMap<string, number>;
}

/**
 * Creates the missing volumes of a container, for a user with the given uid. Throws `not-startable` for a name that
 * someone else has taken.
 */
export async function provideVolumes(
  { engine, deploymentId, log }: EngineContext,
  workspaceId: string,
  { volumes, uid }: { readonly volumes: DriverContainer["volumes"]; readonly uid: number },
  signal: AbortSignal,
): Promise<MountedVolumes> {
  const mounts: unknown[] = [];
  const owners = new Map<string, number>();
  for (const volume of volumes) {
    const name = volumeName(workspaceId, volume.name);
    const labels = {
      ...markOf({ deploymentId, kind: "volume", name }),
      [labelNames.workspace]: workspaceId,
      [labelNames.volume]: volume.name,
      [labelNames.owner]: String(uid),
    };
    const found = await createVolume(engine, name, labels, signal);
    if (!isOfWorkspace(found, deploymentId, workspaceId)) {
      throw new DriverError(
        "not-startable",
        `the volume ${name} was not created by this server: remove or rename it`,
      );
    }
    log.write("debug", "Starting agents", `volume ${volume.name} is ${name}`);
    owners.set(volume.path, Number(found.labels[labelNames.owner]));
    mounts.push({ Type: "volume", Source: name, Target: volume.path, ReadOnly: volume.isReadOnly });
  }
  return { mounts, owners };
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
