import { type DockerDriverOptions, DriverError } from "@slipway/drivers";

import { plainArchive } from "../features/downloads/archive-file.ts";
import type { ArchiveStore } from "../features/downloads/archive-store.ts";
import { Refusal } from "../platform/errors/errors.ts";

/** Returns the archive of the agent, whose making may take a minute at its first use. */
export async function readArchive(
  store: Pick<ArchiveStore, "wait">,
  { arch, report, signal }: Parameters<DockerDriverOptions["readArchive"]>[0],
): ReturnType<DockerDriverOptions["readArchive"]> {
  const name = plainArchive(arch);
  if (name === undefined) {
    throw new DriverError(
      "invalid-template",
      `there is no agent for containers of the architecture ${arch}`,
    );
  }
  try {
    const { path, sha256 } = await store.wait(name, report, signal);
    return { path, hash: sha256.toString("hex") };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const detail = error.detail === undefined ? "" : ` ${error.detail}`;
    throw new DriverError("not-startable", `no agent for containers: ${error.message}${detail}`);
  }
}
