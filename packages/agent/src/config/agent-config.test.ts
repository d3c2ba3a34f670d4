import { tmpdir } from "node:os";

import { describe, expect, it } from "vitest";

import { readAgentConfig, AgentConfigError } from "./agent-config.ts";

const enough = { CODER_AGENT_URL: "https://slipway.example.com/", CODER_AGENT_TOKEN: "token" };

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    readAgentConfig({}, environment);
  } catch (error) {
    if (error instanceof AgentConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe("readAgentConfig", () => {
  it("has a default for everything but address and token", () => {
    expect(readAgentConfig({}, enough)).toEqual({
      serverUrl: "https://slipway.example.com",
      auth: { kind: "token", token: "token" },
      headers: {},
      headerCommand: undefined,
      certificateFiles: { cert: undefined, key: undefined, ca: undefined },
      logDir: tmpdir(),
      scriptDataDir: undefined,
      logHuman: "/dev/stderr",
      logJson: undefined,
      subsystems: [],
      ssh: {
        maxTimeoutMs: 259_200_000,
        blockFileTransfer: false,
        blockLocalForwarding: false,
        blockReverseForwarding: false,
      },
      containers: { discoversProjects: true, startsDiscovered: false },
      socketPath: "/tmp/coder-agent.sock",
      udpPort: 0,
    });
  });

  it("takes the path of the socket, or none", () => {
    const read = (environment: Record<string, string>) =>
      readAgentConfig({}, { ...enough, CODER_AGENT_SOCKET_PATH: "/run/a.sock", ...environment });
    expect(read({}).socketPath).toBe("/run/a.sock");
    const off = { CODER_AGENT_SOCKET_SERVER_ENABLED: "false" };
    expect(read(off).socketPath).toBeUndefined();
  });

  it("leaves containers alone if it is told to", () => {
    const read = (environment: Record<string, string>) =>
      readAgentConfig({}, { ...enough, ...environment }).containers;
    expect(read({ CODER_AGENT_DEVCONTAINERS_ENABLE: "false" })).toBeUndefined();
    const discovery = "CODER_AGENT_DEVCONTAINERS_PROJECT_DISCOVERY_ENABLE";
    const autostart = "CODER_AGENT_DEVCONTAINERS_DISCOVERY_AUTOSTART_ENABLE";
    expect(read({ [discovery]: "0", [autostart]: "true" })).toEqual({
      discoversProjects: false,
      startsDiscovered: true,
    });
    expect(faultsOf({ ...enough, CODER_AGENT_DEVCONTAINERS_ENABLE: "perhaps" })).toEqual([
      'CODER_AGENT_DEVCONTAINERS_ENABLE is "perhaps", wanted true or false',
    ]);
  });

  it("takes a UDP port, and names the variable of one that is none", () => {
    const read = (port: string) =>
      readAgentConfig({}, { ...enough, CODER_AGENT_TAILNET_LISTEN_PORT: port });
    expect(read("41641").udpPort).toBe(41_641);
    for (const port of ["65536", "-1", "1.5", "0x10", "any"]) {
      expect(() => read(port)).toThrow(
        `CODER_AGENT_TAILNET_LISTEN_PORT is "${port}", wanted a port from 0 to 65535`,
      );
    }
  });

  it("prefers flags to the environment", () => {
    const config = readAgentConfig(
      { CODER_AGENT_TOKEN: "flag", CODER_AGENT_LOG_DIR: "/l" },
      enough,
    );
    expect(config.auth).toEqual({ kind: "token", token: "flag" });
    expect(config.logDir).toBe("/l");
  });

  it("reads headers and subsystems", () => {
    const config = readAgentConfig(
      {},
      {
        ...enough,
        CODER_AGENT_HEADER: "X-One=1,X-Two=a=b",
        CODER_AGENT_SUBSYSTEM: "envbox, envbuilder,envbox",
      },
    );
    expect(config.headers).toEqual({ "X-One": "1", "X-Two": "a=b" });
    expect(config.subsystems).toEqual(["envbox", "envbuilder"]);
  });

  it("turns a log off that is set but empty", () => {
    expect(readAgentConfig({}, { ...enough, CODER_AGENT_LOGGING_HUMAN: "" }).logHuman).toBe(
      undefined,
    );
  });

  it("reports every fault at once", () => {
    const faults = faultsOf({
      CODER_AGENT_AUTH: "magic",
      CODER_AGENT_URL: "slipway.example.com",
      CODER_AGENT_HEADER: "ok=1,secret",
      CODER_AGENT_SUBSYSTEM: "toaster",
    });
    expect(faults).toHaveLength(4);
    expect(faults.join("\n")).toMatch(/URL.*\n.*AUTH.*\n.*item 2 of.*\n.*toaster/);
    expect(faults.join("\n")).not.toContain("secret");
  });

  it("misses address and token when nothing is set", () => {
    expect(faultsOf({})).toHaveLength(2);
  });
});
