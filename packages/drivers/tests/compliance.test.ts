import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { silentLogger, systemClock } from "@slipway/runtime";
import { describeDriver } from "@slipway/testkit/compliance";

import { type DriverBuild, ExternalDriver, ProcessDriver } from "../src/index.ts";

const workspaceId = "6d2a6c9e-0000-4000-8000-000000000002";
const patientAgent = `trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done`;

function buildOf(fields: Partial<DriverBuild> = {}): DriverBuild {
  return {
    id: "build-1",
    number: 1,
    transition: "start",
    workspace: { id: workspaceId, name: "demo", owner: { id: "owner-1", username: "ada" } },
    template: { name: "box", version: "1", settings: {}, directory: undefined },
    parameters: {},
    agents: [
      {
        id: "agent-main",
        name: "main",
        token: "token of main",
        platform: { os: "linux", arch: "amd64" },
        directory: "~",
        environment: {},
      },
    ],
    limits: { stopTimeoutMs: 10_000 },
    accessUrl: "http://127.0.0.1:3000",
    state: undefined,
    ...fields,
  };
}

describeDriver("external", async () => ({
  driver: new ExternalDriver(),
  build: buildOf,
  reopen: () => new ExternalDriver(),
  seesAgents: false,
  [Symbol.asyncDispose]: async () => undefined,
}));

describeDriver("process", async () => {
  const root = await realpath(await mkdtemp(join(tmpdir(), "slipway-test-")));
  const drivers: ProcessDriver[] = [];
  const open = (): ProcessDriver => {
    const driver = new ProcessDriver({
      workspacesDir: join(root, "workspaces"),
      runtimeDir: join(root, "runtime"),
      users: undefined,
      agentCommand: ["/bin/sh", "-c", patientAgent],
      programs: {},
      isEnabled: true,
      logger: silentLogger,
      clock: systemClock,
    });
    drivers.push(driver);
    return driver;
  };
  return {
    driver: open(),
    build: buildOf,
    reopen: open,
    seesAgents: true,
    [Symbol.asyncDispose]: async () => {
      const { signal } = new AbortController();
      for (const driver of drivers) await driver.shutdownAll({ signal, timeoutMs: 0 });
      await rm(root, { recursive: true, force: true });
    },
  };
});
