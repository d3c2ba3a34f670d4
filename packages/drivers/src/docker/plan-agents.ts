import { randomUUID } from "node:crypto";

import type { AgentNeeds } from "./agent-container.ts";
import { imageName, provideAgentImage } from "./agent-image.ts";
import { provideArchive } from "./archive-volume.ts";
import type { EngineContext } from "./engine-context.ts";
import { removeImage } from "./engine-images.ts";
import { imageTag, markOf } from "./marks.ts";
import { provideNetwork } from "./network.ts";
import type { PermittedAgent } from "./policy.ts";
import { probeServer } from "./probe-server.ts";

export interface PlanSubject {
  readonly agents: readonly PermittedAgent[];
  /** The template version's files. */
  readonly directory: string | undefined;
}

/** The time for removing an image that was built to test a template, in milliseconds. */
const removalMs = 60_000;

/**
 * Tests a template on the engine: pulls or builds the images, and starts a container that calls the server. Leaves
 * nothing behind but pulled images and what all workspaces share.
 */
export async function planAgents(
  context: EngineContext,
  { options, facts, info }: AgentNeeds,
  { agents, directory }: PlanSubject,
  signal: AbortSignal,
): Promise<void> {
  const { engine, deploymentId, log } = context;
  const serverUrl = await options.containerUrl(signal);
  for (const agent of agents) {
    const { container, platform } = agent;
    const tag = imageTag(randomUUID(), agent.name);
    const labels = markOf({ deploymentId, kind: "image", name: tag });
    const input = { agent, directory, tag, labels };
    const image = await provideAgentImage(context, options, input, signal);
    try {
      await facts.read(context, { id: image.id, name: imageName(agent) }, signal);
      const report = (line: string): void => log.write("info", "Installing the agent", line);
      const archive = await options.readArchive({ arch: platform.arch, report, signal });
      const probe = {
        container,
        imageId: image.id,
        archiveVolume: await provideArchive(context, archive, image.id, signal),
        network: await provideNetwork(
          context,
          agent,
          { operatorNetwork: options.network, isRootless: info.isRootless },
          signal,
        ),
        info,
        publishesPorts: false,
        serverUrl,
        field: `agents.${agent.name}.container`,
      };
      log.write("info", "Testing the network", `calling ${serverUrl} from a container`);
      await probeServer(context, probe, signal);
    } finally {
      if (container.build !== undefined) {
        await removeImage(engine, tag, AbortSignal.timeout(removalMs)).catch(() => undefined);
      }
    }
  }
}
