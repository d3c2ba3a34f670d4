import type { DriverBuild } from "../driver-build.ts";
import { DriverError } from "../errors.ts";
import { decodeState } from "./driver-state.ts";
import {
  type FoundContainer,
  listContainers,
  removeContainer,
  stopContainer,
} from "./engine-containers.ts";
import type { EngineContext } from "./engine-context.ts";
import { isOriginal, labelNames, workspaceFilter } from "./marks.ts";

/** The attempts to list and end containers: an interrupted attempt may still be creating one. */
const maxAttempts = 10;

/** Lists the containers of a workspace: those with our labels that are not copies, or that the state names. */
export async function findContainers(
  { engine, deploymentId }: Pick<EngineContext, "engine" | "deploymentId">,
  { workspaceId, state }: { readonly workspaceId: string; readonly state: Uint8Array | undefined },
  signal: AbortSignal,
): Promise<readonly FoundContainer[]> {
  const filter = workspaceFilter({ deploymentId, kind: "agent" }, workspaceId);
  const known = new Set(decodeState(state).containers.map(({ id }) => id));
  const found = await listContainers(engine, filter, signal);
  return found.filter((container) => isOriginal(container) || known.has(container.id));
}

/**
 * Stops the containers of a workspace gracefully and removes them, until none is left that `selects`. Resolves to the
 * others.
 */
export async function endContainers(
  context: EngineContext,
  build: DriverBuild,
  selects: (container: FoundContainer) => boolean,
  signal: AbortSignal,
): Promise<readonly FoundContainer[]> {
  const { workspace } = build;
  const state = await build.readState();
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const found = await findContainers(context, { workspaceId: workspace.id, state }, signal);
    const ending = found.filter(selects);
    if (ending.length === 0) return found;
    await Promise.all(ending.map((container) => endContainer(context, container, build, signal)));
  }
  throw new DriverError("still-running", `containers of the workspace ${workspace.name} are left`);
}

async function endContainer(
  { engine, log }: EngineContext,
  { id, labels, status }: FoundContainer,
  { limits: { stopTimeoutMs } }: DriverBuild,
  signal: AbortSignal,
): Promise<void> {
  const name = `agent ${labels[labelNames.agentName] ?? ""}`;
  if (status === "running") {
    log.write("info", "Stopping agents", `stopping ${name} in container ${shortId(id)}`);
    await stopContainer(engine, id, { timeoutMs: stopTimeoutMs, signal });
  }
  await removeContainer(engine, id, signal);
  log.write("info", "Stopping agents", `${name}: removed container ${shortId(id)}`);
}

/** Shortens an id as Docker's own command does. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}
