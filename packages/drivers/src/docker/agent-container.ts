import type { DriverAgent, DriverBuild, DriverContainer } from "../driver-build.ts";
import { DriverError, EngineError } from "../errors.ts";
import { imageName, provideAgentImage } from "./agent-image.ts";
import { hasArchive, provideArchive } from "./archive-volume.ts";
import {
  agentVariables,
  entrypoint,
  environmentList,
  exposedPorts,
  hostConfig,
} from "./container-config.ts";
import { prepareUser } from "./container-user.ts";
import type { DockerDriverOptions } from "./docker-options.ts";
import {
  createContainer,
  inspectContainer,
  readOutput,
  removeContainer,
  startContainer,
} from "./engine-containers.ts";
import type { EngineContext } from "./engine-context.ts";
import type { InspectedImage } from "./engine-images.ts";
import { removeVolume } from "./engine-resources.ts";
import type { EngineInfo } from "./engine.ts";
import type { ImageFacts } from "./image-facts.ts";
import {
  containerName,
  hasMark,
  hashToken,
  imageTag,
  labelNames,
  type Labels,
  markOf,
} from "./marks.ts";
import { provideNetwork } from "./network.ts";
import { type ContainerUser, findUser } from "./user-files.ts";
import { shortId } from "./workspace-containers.ts";
import { provideVolumes } from "./workspace-volumes.ts";

const stage = "Starting agents";

export interface AgentNeeds {
  readonly options: DockerDriverOptions;
  readonly facts: ImageFacts;
  readonly info: EngineInfo;
}

/** An agent of a build that this driver runs. */
export interface BuildAgent {
  readonly build: DriverBuild;
  readonly agent: DriverAgent & { readonly container: DriverContainer };
}

/** The time for removing a container whose start failed, in milliseconds. */
const removalMs = 60_000;

/** Creates and starts the container of an agent, and resolves to its id. Removes it if it does not start. */
export async function runAgent(
  context: EngineContext,
  needs: AgentNeeds,
  { build, agent }: BuildAgent,
  signal: AbortSignal,
): Promise<string> {
  const { engine, log } = context;
  const parts = await provideParts(context, needs, { build, agent }, signal);
  const id = await create(context, needs, { build, agent, ...parts }, signal);
  try {
    const writable = agent.container.volumes.filter(({ isReadOnly }) => !isReadOnly);
    const volumePaths = writable.map(({ path }) => path);
    await prepareUser(engine, id, parts.user, volumePaths, signal);
    await startContainer(engine, id, signal);
    await requireRunning(context, id, signal);
  } catch (error) {
    await removeContainer(engine, id, AbortSignal.timeout(removalMs)).catch(() => undefined);
    throw startError(error, agent.name);
  }
  log.write("info", stage, `agent ${agent.name} runs in container ${shortId(id)}`);
  return id;
}

/** The parts of a container. */
interface ContainerParts {
  readonly image: InspectedImage;
  readonly user: ContainerUser;
  /** The mounts of the workspace's volumes, as the engine takes them. */
  readonly mounts: readonly unknown[];
}

/** Provides the image, the user and the volumes of a container. */
async function provideParts(
  context: EngineContext,
  { options, facts }: AgentNeeds,
  { build, agent }: BuildAgent,
  signal: AbortSignal,
): Promise<ContainerParts> {
  const { container } = agent;
  const workspaceId = build.workspace.id;
  const tag = imageTag(workspaceId, agent.name);
  const labels = {
    ...markOf({ deploymentId: context.deploymentId, kind: "image", name: tag }),
    [labelNames.workspace]: workspaceId,
  };
  const { directory } = build.template;
  const imageInput = { agent, directory, tag, labels };
  const image = await provideAgentImage(context, options, imageInput, signal);
  // Before anything is created: an image without a shell leaves nothing behind.
  const files = await facts.read(context, { id: image.id, name: imageName(agent) }, signal);
  const name = container.user === "" ? image.user : container.user;
  const { account } = findUser(name, files, undefined);
  const { volumes } = container;
  const volumesInput = { workspaceId, volumes, uid: account.uid, imageId: image.id };
  const { mounts, owners } = await provideVolumes(context, volumesInput, signal);
  return { image, user: findUser(name, files, owners.get(account.home)), mounts };
}

/** The attempts to create a container: what it needs may be removed meanwhile, and its name be taken. */
const maxAttempts = 3;

async function create(
  context: EngineContext,
  { options, info }: AgentNeeds,
  { build, agent, image, user, mounts }: BuildAgent & ContainerParts,
  signal: AbortSignal,
): Promise<string> {
  const { engine, log } = context;
  const { container } = agent;
  const report = (line: string): void => log.write("info", stage, line);
  const archive = await options.readArchive({ arch: agent.platform.arch, report, signal });
  const network = await provideNetwork(
    context,
    agent,
    { operatorNetwork: options.network, isRootless: info.isRootless },
    signal,
  );
  const publishesPorts = options.allow.has("ports");
  const { name, shell } = user.account;
  const variables = {
    USER: name,
    LOGNAME: name,
    SHELL: shell,
    ...agentVariables(agent, await options.containerUrl(signal)),
  };
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const archiveVolume = await provideArchive(context, archive, image.id, signal);
    const input = { container, archiveVolume, network, info, publishesPorts };
    const host = hostConfig(input, mounts);
    const body = {
      Image: image.id,
      Entrypoint: entrypoint,
      Cmd: container.command,
      User: user.identity,
      Env: environmentList(variables),
      Hostname: build.workspace.name,
      ExposedPorts: exposedPorts(container),
      StopTimeout: Math.ceil(build.limits.stopTimeoutMs / 1000),
      HostConfig: host,
    };
    const id = await createNamed(context, { build, agent, body }, signal);
    if (await hasArchive(context, archiveVolume, signal)) return id;
    // It was removed between the two requests, and the engine created an empty one in its place.
    await removeContainer(engine, id, signal);
    await removeVolume(engine, archiveVolume, signal);
  }
  throw new DriverError("unavailable", "the volume with the agent was removed repeatedly");
}

/** Creates the container under its name. Removes one of an interrupted attempt that has the name. */
async function createNamed(
  context: EngineContext,
  { build, agent, body }: BuildAgent & { readonly body: Readonly<Record<string, unknown>> },
  signal: AbortSignal,
): Promise<string> {
  const { engine, deploymentId } = context;
  const name = containerName(build.workspace.id, agent.name);
  const Labels = { ...markOf({ deploymentId, kind: "agent", name }), ...agentLabels(build, agent) };
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await createContainer(engine, name, { ...body, Labels }, signal);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      // Docker answers 409 if the name is taken, podman 500.
      const found = await inspectContainer(engine, name, signal);
      const isTaken = found !== undefined || error.status === 409;
      if (!isTaken || attempt >= maxAttempts) throw startError(error, agent.name);
      if (found === undefined) continue;
      if (!hasMark(found, { deploymentId, kind: "agent" })) {
        throw new DriverError(
          "not-startable",
          `the container ${name} was not created by this server: remove or rename it`,
        );
      }
      await removeContainer(engine, found.id, signal);
    }
  }
}

function agentLabels(build: DriverBuild, agent: BuildAgent["agent"]): Labels {
  return {
    [labelNames.workspace]: build.workspace.id,
    [labelNames.build]: build.id,
    [labelNames.agent]: agent.id,
    [labelNames.agentName]: agent.name,
    [labelNames.tokenHash]: hashToken(agent.token),
    [labelNames.image]: agent.container.image,
  };
}

/** Throws `not-startable`, with the last lines of output, for a container that has ended already. */
async function requireRunning(
  { engine }: EngineContext,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const found = await inspectContainer(engine, id, signal);
  if (found?.isRunning === true) return;
  const output = found === undefined ? "" : await readOutput(engine, id, signal);
  const lines = output.trim() === "" ? "" : `:\n${output.trim()}`;
  throw new DriverError(
    "not-startable",
    `the container ended with exit code ${found?.exitCode ?? 0}${lines}`,
  );
}

/** Returns what to throw for a refusal of the engine. */
function startError(error: unknown, agentName: string): unknown {
  if (!(error instanceof EngineError)) return error;
  const message = `cannot start the container of agent ${agentName}: ${error.message}`;
  return new DriverError("not-startable", message, { cause: error });
}
