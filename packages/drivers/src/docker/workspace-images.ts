import { EngineError } from "../errors.ts";
import type { EngineContext } from "./engine-context.ts";
import { listImages, removeImage } from "./engine-images.ts";
import { imageTagPrefix, workspaceFilter } from "./marks.ts";

/** The registry that podman puts before the name of an image that is built without one. */
const podmanPrefix = /^(?:localhost|docker\.io)\//;

/**
 * Removes the images that were built for a workspace. Images that someone built from them or committed have the same
 * labels, and their own tags: they stay.
 */
export async function removeImages(
  { engine, deploymentId, log }: EngineContext,
  workspaceId: string,
  signal: AbortSignal,
): Promise<void> {
  const filter = workspaceFilter({ deploymentId, kind: "image" }, workspaceId);
  const prefix = imageTagPrefix(workspaceId);
  for (const { id, tags } of await listImages(engine, filter, signal)) {
    const own = tags.filter((tag) => tag.replace(podmanPrefix, "").startsWith(prefix));
    // Without tags: the image of an earlier build, whose tag has moved on.
    for (const reference of tags.length === 0 ? [id] : own) {
      log.write("info", "Removing the workspace", `removing image ${reference}`);
      try {
        await removeImage(engine, reference, signal);
      } catch (error) {
        // A container of someone else uses it.
        if (!(error instanceof EngineError && error.status === 409)) throw error;
      }
    }
  }
}
