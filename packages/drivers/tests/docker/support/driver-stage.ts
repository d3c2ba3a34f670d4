import { once } from "node:events";
import { createServer } from "node:http";
import { networkInterfaces } from "node:os";

import {
  type DriverAgent,
  type DriverBuild,
  type DriverContainer,
  type DockerDriverOptions,
  DockerDriver,
  type DockerSettings,
  type DriverLog,
} from "@slipway/drivers";
import { silentLogger, systemClock } from "@slipway/runtime";
import {
  plainDocker,
  sampleAgent,
  sampleBuild,
  sampleContainer,
} from "@slipway/testkit/compliance";
import { buildArchive, ownArch, type TestEngine } from "@slipway/testkit/engines";

export const { signal } = new AbortController();
export const silent: DriverLog = { write: () => undefined };

/** Returns a container of the engine's image, with a home in a volume and a user whom the image lacks. */
export function boxContainer(
  fields: Partial<DriverContainer> = {},
  docker: Partial<DockerSettings> = {},
): DriverContainer {
  return sampleContainer("box:1", {
    volumes: [{ name: "home", path: "/home/dev", isReadOnly: false }],
    docker: { ...plainDocker, ...docker },
    ...fields,
  });
}

export function boxAgent(
  container = boxContainer(),
  fields: Partial<DriverAgent> = {},
): DriverAgent {
  return sampleAgent("main", {
    platform: { os: "linux", arch: ownArch },
    container,
    ...fields,
  });
}

/** Returns a start of one agent in a container. */
export function boxBuild(
  container = boxContainer(),
  fields: Partial<DriverBuild> = {},
): DriverBuild {
  return sampleBuild({ agents: [boxAgent(container)], ...fields });
}

const deploymentId = "test-deployment";

/** Opens a driver on an engine; its containers' server answers only where a test starts one. */
export async function openDriver(
  { socketPath }: Pick<TestEngine, "socketPath">,
  options: Partial<DockerDriverOptions> = {},
): Promise<DockerDriver> {
  await buildArchive();
  return new DockerDriver({
    endpoint: { socketPath },
    readArchive: buildArchive,
    containerUrl: async () => "http://host.docker.internal:9",
    allow: new Set(),
    runtimes: [],
    network: undefined,
    registryAuth: async () => undefined,
    deploymentId,
    logger: silentLogger,
    clock: systemClock,
    ...options,
  });
}

/** The container of the sample workspace's agent. */
export function containerOf(build: DriverBuild): string {
  return `slipway-${build.workspace.id}-main`;
}

/** Runs a command in an agent's container. */
export async function inside(
  engine: TestEngine,
  build: DriverBuild,
  ...command: readonly string[]
): Promise<string> {
  return (await engine.docker(["exec", containerOf(build), ...command])).trim();
}

/**
 * Creates a volume of another workspace. While one is left, the driver keeps the volume with the agent, which would take
 * each test a second to fill.
 */
export async function keepShared(engine: TestEngine): Promise<void> {
  const name = "slipway-kept-home";
  const labels = {
    "slipway.deployment": deploymentId,
    "slipway.kind": "volume",
    "slipway.name": name,
    "slipway.workspace": "kept",
  };
  const words = Object.entries(labels).flatMap((pair) => ["--label", pair.join("=")]);
  await engine.docker(["volume", "create", ...words, name]);
}

/** Lists everything of a workspace that the engine has: containers, volumes and images. */
export async function leftovers(engine: TestEngine, build: DriverBuild): Promise<string> {
  const all = [
    await engine.docker(["ps", "-a", "--format", "{{.Names}}"]),
    await engine.docker(["volume", "ls", "--format", "{{.Name}}"]),
    await engine.docker(["images", "--format", "{{.Repository}}"]),
  ];
  const lines = all.join("\n").split("\n");
  return lines
    .filter((name) => name.includes(build.workspace.id) || name.includes("helper"))
    .join("\n");
}

/** A server that answers containers on an address of the host. */
export interface AnsweringServer extends AsyncDisposable {
  readonly url: string;
}

export async function answerAt(host: string): Promise<AnsweringServer> {
  const server = createServer((request, response) => {
    response.statusCode = request.url === "/healthz" ? 200 : 404;
    response.end();
  });
  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://${host}:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Returns an address of this machine other than the loopback's, which containers reach on any engine. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const own = all.find(({ family, internal }) => family === "IPv4" && !internal);
  if (own === undefined) throw new Error("this machine has no address that containers reach");
  return own.address;
}
