import { stat } from "node:fs/promises";
import { join } from "node:path";

import type { Container } from "./container.ts";
import type { DevcontainerPlace } from "./devcontainers.ts";

/** The configuration files of a folder, the preferred one first. */
export const configFiles = [".devcontainer/devcontainer.json", ".devcontainer.json"] as const;

/** Resolves to whether the configuration has changed since the container was created. */
export async function isConfigNewer({
  folder,
  configPath,
  container,
}: DevcontainerPlace & { readonly container: Container | undefined }): Promise<boolean> {
  if (container === undefined) return false;
  const paths =
    configPath === undefined ? configFiles.map((file) => join(folder, file)) : [configPath];
  for (const path of paths) {
    const changedMs = await changeTime(path);
    if (changedMs !== undefined) return changedMs > Date.parse(container.created_at);
  }
  return false;
}

async function changeTime(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    // Absent: the configuration was removed, or is elsewhere.
    return undefined;
  }
}
