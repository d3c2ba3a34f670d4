import { hashToken } from "../docker/marks.ts";
import type { DriverBuild } from "../driver-build.ts";
import { type PodAgent, podTemplate } from "./agent-pod.ts";
import { awaitGone, awaitRunning } from "./await-pod.ts";
import type { BuildContext } from "./cluster-context.ts";
import { applyObject, deleteObject, mergeObject } from "./cluster-objects.ts";
import type { KubernetesDriverOptions } from "./kubernetes-options.ts";
import { agentAnnotations, agentLabels, agentObjectName, agentSelector } from "./pod-marks.ts";
import { type FoundAgent, findAgents, provideVolumes } from "./workspace-objects.ts";

/**
 * The time in addition to the agent's own that the cluster has to end its pod, in milliseconds: after an outage of the API
 * server, its controllers and its kubelets each wait up to half a minute before they look again.
 */
const endMarginMs = 180_000;

/** The time for removing a pod whose start failed, in milliseconds. */
const removalMs = 30_000;

interface StartedAgent {
  readonly build: DriverBuild;
  readonly agent: PodAgent;
}

/** Starts the pod of an agent and waits until it runs. Removes it, but not its volumes, if it does not. */
export async function startAgent(
  context: BuildContext,
  options: KubernetesDriverOptions,
  { build, agent }: StartedAgent,
  signal: AbortSignal,
): Promise<void> {
  const { connection, owners, deploymentId, log } = context;
  const [owner] = owners;
  const place = { deploymentId, workspaceId: build.workspace.id };
  const name = agentObjectName(place, agent.name);
  const stage = "Starting agents";
  const report = (line: string): void => log.write("info", stage, line);
  const serverUrl = options.podUrl();
  const archive = await options.readArchive({ arch: agent.platform.arch, report, signal });
  if (agent.container.pids !== undefined) {
    log.write("warn", stage, "pids is not set: the nodes of a cluster limit processes themselves");
  }
  await provideVolumes(context, place, agent.container, signal);
  const needs = { place, agentImage: options.agentImage, serverUrl, archiveHash: archive.hash };
  const labels = agentLabels(place, agent.name);
  const annotations = agentAnnotations(agent, build.id);
  const object = owner.running(
    { name, labels, annotations },
    labels,
    podTemplate(needs, build, agent),
  );
  const target = {
    agentName: agent.name,
    kind: owner.kind,
    name,
    podName: owner.podName(name),
    tokenHash: hashToken(agent.token),
    timeoutMs: options.startTimeoutMs,
  };
  const begin = async (): Promise<void> => {
    await applyObject(connection, owner.kind, object, signal);
  };
  try {
    await awaitRunning(context, target, begin, signal);
  } catch (error) {
    // The error counts, not what its cleanup meets.
    const late = AbortSignal.timeout(removalMs);
    await deleteObject(connection, owner.kind, name, late).catch(() => undefined);
    throw error;
  }
  report(`agent ${agent.name} runs in pod ${target.podName}`);
}

/** Ends the agents of a workspace that `selects`, gracefully, and waits until their pods are gone. */
export async function endAgents(
  context: BuildContext,
  { workspace, limits }: DriverBuild,
  how: "suspend" | "delete",
  selects: (agent: FoundAgent) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { connection, deploymentId, log } = context;
  const found = await findAgents(context, workspace.id, signal);
  const ending = found.filter(selects);
  const timeoutMs = limits.stopTimeoutMs + endMarginMs;
  for (const { owner, name, marks, object } of ending) {
    if (!owner.isSuspended(object)) {
      log.write(
        "info",
        "Stopping agents",
        `stopping agent ${marks.agentName} in pod ${owner.podName(name)}`,
      );
    }
    const selector = `${agentSelector(deploymentId, workspace.id)}=${marks.agentName}`;
    const suspend = async (): Promise<void> => {
      await mergeObject(connection, owner.kind, name, owner.suspension, signal);
    };
    await awaitGone(context, { selector, timeoutMs }, suspend, signal);
    if (how === "delete") await deleteObject(connection, owner.kind, name, signal);
    log.write("info", "Stopping agents", `agent ${marks.agentName} has ended`);
  }
}
