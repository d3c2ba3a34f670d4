import { readFile, realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";

import { errorText } from "@slipway/runtime";

import type { ContainerBuild } from "../driver-build.ts";
import { DriverError, EngineError } from "../errors.ts";
import { packContext } from "./build-context.ts";
import { openBuildSession } from "./build-session.ts";
import type { RegistryCredentials } from "./docker-options.ts";
import { buildClassically, type BuildRequest, buildWithBuildKit } from "./engine-builds.ts";
import type { EngineContext } from "./engine-context.ts";
import { inspectImage, type InspectedImage, removeImage } from "./engine-images.ts";
import { inspectNetwork } from "./engine-resources.ts";
import type { Engine } from "./engine.ts";
import { parseImageReference } from "./image-reference.ts";
import type { Labels } from "./marks.ts";
import { ProgressLog } from "./progress-log.ts";
import { authOf, requireArchitecture } from "./pull-image.ts";

const stage = "Building the image";

export interface BuildInput {
  readonly build: ContainerBuild;
  /** The template version's files. */
  readonly directory: string | undefined;
  readonly tag: string;
  readonly labels: Labels;
  readonly arch: string;
  readonly pull: "missing" | "always" | "never";
  readonly registryAuth: (registry: string) => Promise<RegistryCredentials | undefined>;
}

/**
 * Builds an image from a Dockerfile of the template, with the engine's cache, and gives it the tag. The image that had
 * the tag before is removed. Throws `invalid-template` if the build fails.
 */
export async function buildImage(
  context: EngineContext,
  input: BuildInput,
  signal: AbortSignal,
): Promise<InspectedImage> {
  const { engine } = context;
  const before = await inspectImage(engine, input.tag, signal);
  await runBuild(context, input, signal);
  const built = await inspectImage(engine, input.tag, signal);
  if (built === undefined) {
    throw new DriverError("unavailable", `image ${input.tag} was removed after it was built`);
  }
  if (before !== undefined && before.id !== built.id) {
    await removeImage(engine, before.id, signal).catch(ignoreInUse);
  }
  return requireArchitecture(built, "of the template's Dockerfile", input.arch);
}

function ignoreInUse(error: unknown): void {
  if (!(error instanceof EngineError && error.status === 409)) throw error;
}

async function runBuild(
  context: EngineContext,
  { build, directory, tag, labels, pull, registryAuth }: BuildInput,
  signal: AbortSignal,
): Promise<void> {
  const { engine, clock, log } = context;
  if (directory === undefined) {
    throw new DriverError("not-startable", "the files of the template version are missing");
  }
  const contextDirectory = await pathInside(directory, build.context, "context");
  const dockerfile = await pathInside(directory, build.dockerfile, "dockerfile");
  log.write("info", stage, `building ${build.dockerfile}`);
  const query = {
    t: tag,
    dockerfile: dockerfileInContext,
    buildargs: JSON.stringify(build.args),
    labels: JSON.stringify(labels),
    target: build.target === "" ? undefined : build.target,
    pull: pull === "always" ? "true" : undefined,
  };
  const dockerfileText = await readFile(dockerfile, "utf8");
  const packed = packContext(contextDirectory, {
    file: { name: dockerfileInContext, content: dockerfileText },
    signal,
  });
  const progress = new ProgressLog(log, stage, clock);
  try {
    const request = { query, context: packed };
    const lines = engine.isPodman
      ? buildClassically(
          engine,
          request,
          await credentialsFor(dockerfileText, registryAuth),
          signal,
        )
      : runBuildKit(engine, request, registryAuth, signal);
    for await (const line of lines) {
      const problem = progress.take(line);
      if (problem !== undefined) throw new EngineError(500, problem);
    }
  } catch (error) {
    const failure = engine.connection.failure({ path: "/build", signal }, error);
    if (!(failure instanceof EngineError)) throw failure;
    const advice = refusesImage.test(failure.message)
      ? "; set SLIPWAY_DOCKER_CONFIG to the credentials of its registry if the image is private"
      : "";
    const message = `cannot build the image: ${failure.message}${advice}`;
    throw new DriverError("invalid-template", message, { cause: failure });
  } finally {
    packed.destroy();
  }
}

/** Refusals of a registry in the words of both builders. */
const refusesImage =
  /\b401 Unauthorized|pull access denied|authorization failed|authentication required/;

/** Every Docker that the driver speaks to has BuildKit, also where its own command takes the classic builder. */
async function* runBuildKit(
  engine: Engine,
  { query, context }: BuildRequest,
  registryAuth: BuildInput["registryAuth"],
  signal: AbortSignal,
): AsyncGenerator {
  await using session = await openBuildSession(engine, registryAuth, signal);
  // BuildKit wants the bridge for its steps, also where the operator has disabled it.
  const hasBridge = (await inspectNetwork(engine, "bridge", signal)) !== undefined;
  const networkmode = hasBridge ? undefined : "none";
  const request = { query: { ...query, networkmode, session: session.id }, context };
  yield* buildWithBuildKit(engine, request, signal);
}

/** The Dockerfile may be outside its context, so it is sent under a name of our own. */
const dockerfileInContext = ".slipway.Dockerfile";

/** Resolves a path of the template. Throws `invalid-template` if it leads outside or to nothing. */
async function pathInside(directory: string, path: string, field: string): Promise<string> {
  const root = await realpath(directory);
  const found = await realpath(join(root, path)).catch((error: unknown) => {
    throw new DriverError(
      "invalid-template",
      `build.${field} ${JSON.stringify(path)} is not in the template: ${errorText(error)}`,
      { cause: error },
    );
  });
  const inside = relative(root, found);
  if (inside !== ".." && !inside.startsWith(`..${sep}`)) return found;
  throw new DriverError(
    "invalid-template",
    `build.${field} ${JSON.stringify(path)} leads outside the template`,
  );
}

/** Returns the credentials of the registries that the Dockerfile names, and no others. */
async function credentialsFor(
  dockerfile: string,
  registryAuth: BuildInput["registryAuth"],
): Promise<Readonly<Record<string, unknown>>> {
  const registries = new Set<string>();
  for (const [, name = ""] of dockerfile.matchAll(/^\s*FROM\s+(?:--\S+\s+)*(\S+)/gim)) {
    try {
      registries.add(parseImageReference(name).registry);
    } catch {
      // A stage or an argument: the engine resolves it without credentials.
    }
  }
  const found: Record<string, unknown> = {};
  for (const registry of registries) {
    const credentials = await registryAuth(registry);
    if (credentials === undefined) continue;
    const key = registry === "docker.io" ? "https://index.docker.io/v1/" : registry;
    found[key] = authOf(credentials, registry);
  }
  return found;
}
