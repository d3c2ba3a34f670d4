import type { DriverAgent, DriverBuild } from "@slipway/drivers";

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
    workspace: { id: sampleWorkspaceId, name: "demo", owner: { id: "owner-1", username: "ada" } },
    template: { name: "box", version: "1", settings: {}, directory: undefined },
    parameters: {},
    agents: [sampleAgent("main")],
    limits: { stopTimeoutMs: 10_000 },
    accessUrl: "http://127.0.0.1:3000",
    state: undefined,
    ...fields,
  };
}
