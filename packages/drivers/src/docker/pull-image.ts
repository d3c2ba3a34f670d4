import type { DriverContainer } from "../driver-build.ts";
import { DriverError, EngineError } from "../errors.ts";
import type { RegistryCredentials } from "./docker-options.ts";
import type { EngineContext } from "./engine-context.ts";
import { inspectImage, type InspectedImage, openPull } from "./engine-images.ts";
import { jsonLines } from "./engine-streams.ts";
import { type ImageReference, parseImageReference } from "./image-reference.ts";
import { ProgressLog } from "./progress-log.ts";

const stage = "Pulling the image";

export interface PullInput {
  readonly image: string;
  readonly pull: DriverContainer["docker"]["pull"];
  readonly arch: string;
  readonly registryAuth: (registry: string) => Promise<RegistryCredentials | undefined>;
}

/**
 * Returns an image, which is pulled as the template says. Throws `invalid-template` if there is none, or it is for
 * another architecture, and `unavailable` if its registry does not respond.
 */
export async function provideImage(
  context: EngineContext,
  input: PullInput,
  signal: AbortSignal,
): Promise<InspectedImage> {
  const { engine } = context;
  const reference = parseImageReference(input.image);
  const present = await inspectImage(engine, reference.text, signal);
  if (input.pull === "never" || (input.pull === "missing" && present !== undefined)) {
    if (present !== undefined) return requireArchitecture(present, reference.text, input.arch);
    throw new DriverError(
      "invalid-template",
      `image ${reference.text} is not on the Docker host, and the template sets pull: never`,
    );
  }
  await pull(context, reference, input, signal);
  const pulled = await inspectImage(engine, reference.text, signal);
  if (pulled !== undefined) return requireArchitecture(pulled, reference.text, input.arch);
  throw new DriverError("unavailable", `image ${reference.text} was removed after it was pulled`);
}

/** Returns the image if it is for Linux and the agent's architecture. */
export function requireArchitecture(
  image: InspectedImage,
  name: string,
  arch: string,
): InspectedImage {
  if (image.os === "linux" && image.arch === arch) return image;
  throw new DriverError(
    "invalid-template",
    `image ${name} is for ${image.os}/${image.arch}, wanted linux/${arch} as the agent in the template`,
  );
}

async function pull(
  { engine, clock, log }: EngineContext,
  { text, registry }: ImageReference,
  { arch, registryAuth }: PullInput,
  signal: AbortSignal,
): Promise<void> {
  log.write("info", stage, `pulling ${text}`);
  const credentials = await registryAuth(registry);
  const auth = credentials && authOf(credentials, registry);
  const progress = new ProgressLog(log, stage, clock);
  const request = { path: "/images/create", signal };
  try {
    const options = { reference: text, platform: `linux/${arch}`, auth };
    const body = await openPull(engine, options, signal);
    for await (const line of jsonLines(body)) {
      const problem = progress.take(line);
      if (problem !== undefined) throw new EngineError(500, problem);
    }
  } catch (error) {
    const failure = engine.connection.failure(request, error);
    throw failure instanceof EngineError
      ? pullError(failure, { text, registry, hasCredentials: auth !== undefined })
      : failure;
  }
}

/** Returns credentials as an engine takes them. */
export function authOf(credentials: RegistryCredentials, registry: string): unknown {
  const serveraddress = registry === "docker.io" ? "https://index.docker.io/v1/" : registry;
  return "identityToken" in credentials
    ? { identitytoken: credentials.identityToken, serveraddress }
    : { ...credentials, serveraddress };
}

interface Pull extends ImageReference {
  readonly hasCredentials: boolean;
}

/** Engines answer every failure with the registry's words; these tell whose fault it is. */
const notAllowed = /denied|unauthorized|authentication required|no basic auth|forbidden/i;
const notFound = /not found|manifest unknown|does not exist|no such|no matching manifest/i;

function pullError(error: EngineError, { text, registry, hasCredentials }: Pull): DriverError {
  const { message } = error;
  const options = { cause: error };
  if (notAllowed.test(message)) {
    const advice = hasCredentials
      ? `the server's credentials for ${registry} do not permit it`
      : `the server has no credentials for ${registry}: set SLIPWAY_DOCKER_CONFIG if the image is private`;
    return new DriverError(
      "invalid-template",
      `cannot pull ${text}: ${message}; ${advice}`,
      options,
    );
  }
  const code = notFound.test(message) ? "invalid-template" : "unavailable";
  return new DriverError(code, `cannot pull ${text}: ${message}`, options);
}
