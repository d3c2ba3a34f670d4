import { buildImage } from "./build-image.ts";
import type { DockerDriverOptions } from "./docker-options.ts";
import type { EngineContext } from "./engine-context.ts";
import type { InspectedImage } from "./engine-images.ts";
import type { Labels } from "./marks.ts";
import type { PermittedAgent } from "./policy.ts";
import { provideImage } from "./pull-image.ts";

export interface ImageInput {
  readonly agent: PermittedAgent;
  /** The template version's files. */
  readonly directory: string | undefined;
  /** The tag and the labels of an image that is built. */
  readonly tag: string;
  readonly labels: Labels;
}

/** Returns the image of an agent's container, which is built or pulled as the template says. */
export async function provideAgentImage(
  context: EngineContext,
  { registryAuth }: DockerDriverOptions,
  { agent, directory, tag, labels }: ImageInput,
  signal: AbortSignal,
): Promise<InspectedImage> {
  const { image, build, docker } = agent.container;
  const { arch } = agent.platform;
  const { pull } = docker;
  if (build === undefined) {
    return provideImage(context, { image, pull, arch, registryAuth }, signal);
  }
  return buildImage(context, { build, directory, tag, labels, arch, pull, registryAuth }, signal);
}

/** Names the image of an agent in messages. */
export function imageName({ container: { image, build } }: PermittedAgent): string {
  return build === undefined ? image : `of ${build.dockerfile}`;
}
