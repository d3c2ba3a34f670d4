import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";

import { DriverError } from "../errors.ts";
import { packFiles } from "./container-files.ts";
import type { AgentArchive } from "./docker-options.ts";
import { putArchive } from "./engine-containers.ts";
import type { EngineContext } from "./engine-context.ts";
import { createVolume, type FoundVolume, inspectVolume, removeVolume } from "./engine-resources.ts";
import { archiveDirectory, entryScript, nodeScript, probeScript } from "./entry-script.ts";
import { withHelper } from "./helper-container.ts";
import { hasMark, labelNames, markOf, shortDeployment } from "./marks.ts";
import { removeLeftovers } from "./shared-resources.ts";

/*
 * Volumes with the agent's archive, unpacked once for each release and mounted read-only into every container.
 *
 * Each attempt fills a new volume with a random name. A second volume, always empty and named after the archive's hash,
 * points to it by a label. An engine creates a volume only once and never changes its labels, so the first complete
 * volume wins, and one that a killed process left half-filled is never used.
 */

const stage = "Installing the agent";

const scripts = { "entry.sh": entryScript, "node.sh": nodeScript, "probe.mjs": probeScript };

/** Returns the name of a volume with the archive, which it fills if there is none yet. */
export async function provideArchive(
  context: EngineContext,
  archive: AgentArchive,
  imageId: string,
  signal: AbortSignal,
): Promise<string> {
  const { engine, deploymentId } = context;
  const pointer = pointerName(archive, deploymentId);
  const known = await readPointer(context, pointer, signal);
  if (known !== undefined) return known;
  const filled = await fill(context, { archive, pointer, imageId }, signal);
  const mark = markOf({ deploymentId, kind: "archive-pointer", name: pointer });
  const labels = { ...mark, [labelNames.target]: filled };
  const found = await createVolume(engine, pointer, labels, signal);
  const winner = targetOf(context, found);
  if (winner !== filled) await removeVolume(engine, filled, signal);
  try {
    await removeLeftovers(context, winner, signal);
  } catch (error) {
    signal.throwIfAborted();
    context.logger.warn({ err: error }, "cannot remove what earlier releases left on Docker");
  }
  return winner;
}

/** Returns whether a volume still has the archive: the engine creates an empty one for a container if it was removed. */
export async function hasArchive(
  { engine, deploymentId }: EngineContext,
  volume: string,
  signal: AbortSignal,
): Promise<boolean> {
  const found = await inspectVolume(engine, volume, signal);
  return found !== undefined && hasMark(found, { deploymentId, kind: "archive" });
}

function pointerName({ hash }: AgentArchive, deploymentId: string): string {
  const content = createHash("sha256").update(hash).update(JSON.stringify(scripts)).digest("hex");
  return `slipway-agent-${shortDeployment(deploymentId)}-${content.slice(0, 32)}`;
}

/** Returns the volume to which the pointer leads; removes a pointer to a volume that is gone. */
async function readPointer(
  context: EngineContext,
  pointer: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { engine } = context;
  const found = await inspectVolume(engine, pointer, signal);
  if (found === undefined) return undefined;
  // A daemon that was killed while it created the pointer left it without its labels.
  if (Object.keys(found.labels).length > 0) {
    const target = targetOf(context, found);
    if (await hasArchive(context, target, signal)) return target;
  }
  await removeVolume(engine, pointer, signal);
  return undefined;
}

function targetOf({ deploymentId }: EngineContext, pointer: FoundVolume): string {
  const target = pointer.labels[labelNames.target];
  if (hasMark(pointer, { deploymentId, kind: "archive-pointer" }) && target !== undefined) {
    return target;
  }
  throw new DriverError(
    "not-startable",
    `the volume ${pointer.name} was not created by this server: remove it with docker volume rm`,
  );
}

interface FillInput {
  readonly archive: AgentArchive;
  readonly pointer: string;
  readonly imageId: string;
}

/** Unpacks the archive into a new volume, by a container that is never started. */
async function fill(
  context: EngineContext,
  { archive, pointer, imageId }: FillInput,
  signal: AbortSignal,
): Promise<string> {
  const { engine, deploymentId, log } = context;
  log.write("info", stage, "unpacking the agent, once for this release");
  const name = `${pointer}-${randomUUID().slice(0, 8)}`;
  await createVolume(engine, name, markOf({ deploymentId, kind: "archive", name }), signal);
  const mount = archiveMount(name, false);
  const config = {
    Image: imageId,
    Entrypoint: ["/bin/sh"],
    User: "0",
    NetworkDisabled: true,
    HostConfig: { NetworkMode: "none", Mounts: [mount] },
  };
  try {
    await withHelper(context, config, signal, async (helper) => {
      const path = archiveDirectory;
      const owner = { uid: 0, gid: 0, mode: 0o755 };
      const files = Object.entries(scripts).map(([file, content]) => ({
        path: file,
        content,
        owner,
      }));
      await putArchive(engine, helper, { path, tar: createReadStream(archive.path) }, signal);
      await putArchive(engine, helper, { path, tar: packFiles(files) }, signal);
    });
  } catch (error) {
    await removeVolume(engine, name, AbortSignal.timeout(leftoverRemovalMs)).catch(() => undefined);
    throw error;
  }
  return name;
}

/** The time for removing a volume after its task was aborted, in milliseconds. */
const leftoverRemovalMs = 30_000;

/** Returns the mount of an archive's volume. The engine does not copy what an image has at that path. */
export function archiveMount(volume: string, isReadOnly: boolean): unknown {
  return {
    Type: "volume",
    Source: volume,
    Target: archiveDirectory,
    ReadOnly: isReadOnly,
    VolumeOptions: { NoCopy: true },
  };
}
