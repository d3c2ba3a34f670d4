import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A place for downloads. */
export interface WorkPlace {
  /** An empty directory. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** Runs `work` with a work place that is removed at the end. */
export async function inWorkPlace<T>(
  signal: AbortSignal,
  work: (place: WorkPlace) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-archive-"));
  try {
    return await work({ directory, signal });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Returns a work place inside another one. */
export async function subPlace({ directory, signal }: WorkPlace, name: string): Promise<WorkPlace> {
  const path = join(directory, name);
  await mkdir(path);
  return { directory: path, signal };
}

/** Resolves once all have ended, so that nothing uses a work place that is removed after a failure. */
export async function settled<T>(works: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(works);
  return Promise.all(works);
}
