import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { silentLogger, systemClock } from "@slipway/runtime";
import { describeDriver } from "@slipway/testkit/compliance";

import { ExternalDriver, ProcessDriver } from "../src/index.ts";

const patientAgent = `trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done`;

describeDriver("external", async () => ({
  driver: new ExternalDriver(),
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
    reopen: open,
    seesAgents: true,
    [Symbol.asyncDispose]: async () => {
      const { signal } = new AbortController();
      for (const driver of drivers) await driver.shutdownAll({ signal, timeoutMs: 0 });
      await rm(root, { recursive: true, force: true });
    },
  };
});
