import type { DockerSettings, DriverAgent, DriverBuild, DriverContainer } from "@slipway/drivers";

/** The workspace of every sample build. */
export const sampleWorkspaceId = "6d2a6c9e-0000-4000-8000-000000000001";

/** Returns a build's agent with the given name. */
export function sampleAgent(name: string, fields: Partial<DriverAgent> = {}): DriverAgent {
  return {
    id: `agent-${name}`,
    name,
    token: `token of ${name}`,
    platform: { os: "linux", arch: "amd64" },
    directory: "~",
    environment: {},
    container: undefined,
    ...fields,
  };
}

/** Returns the first start of a workspace with one agent, with `fields` overridden. */
export function sampleBuild(fields: Partial<DriverBuild> = {}): DriverBuild {
  return {
    id: "build-1",
    number: 1,
    transition: "start",
    workspace: {
      id: sampleWorkspaceId,
      name: "demo",
      owner: {
        id: "owner-1",
        username: "ada",
        name: "Ada",
        email: "ada@example.com",
        roles: [],
        organizationId: "",
        loginType: "password",
        gitKey: undefined,
      },
    },
    template: {
      id: "template-1",
      name: "box",
      version: "1",
      settings: {},
      directory: undefined,
      notes: undefined,
    },
    isPrebuild: false,
    parameters: {},
    agents: [sampleAgent("main")],
    limits: { stopTimeoutMs: 10_000 },
    accessUrl: "http://127.0.0.1:3000",
    readState: async () => undefined,
    keepState: async () => undefined,
    hold: () => Promise.reject(new Error("nothing holds this build")),
    ...fields,
  };
}

/** The settings of docker that a template does not change. */
export const plainDocker: DockerSettings = {
  runtime: "",
  network: "",
  gpus: "",
  shmBytes: undefined,
  pull: "missing",
  extraHosts: [],
  isPrivileged: false,
  hostNetwork: false,
  hostPid: false,
  devices: [],
  binds: [],
  capabilities: [],
};

/** Returns a container without limits and volumes, of a user named `dev`, with `fields` overridden. */
export function sampleContainer(
  image: string,
  fields: Partial<DriverContainer> = {},
): DriverContainer {
  return {
    image,
    build: undefined,
    user: "dev",
    command: [],
    environment: {},
    cpus: undefined,
    memoryBytes: undefined,
    pids: undefined,
    storageBytes: undefined,
    volumes: [],
    ports: [],
    docker: plainDocker,
    kubernetes: undefined,
    ...fields,
  };
}
