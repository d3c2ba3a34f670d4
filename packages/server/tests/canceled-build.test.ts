import { cancelBuild, createWorkspace } from "@slipway/api";
import type { Driver, DriverPlan, DriverResult } from "@slipway/drivers";
import { whenAborted } from "@slipway/runtime";
import { pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { expect, inject, it, onTestFinished } from "vitest";

import { openServer } from "./support/open-server.ts";

const template = "driver: docker\nagents: { main: { os: linux, arch: amd64 } }\n";

/** A driver that notices only after its plan that a build was canceled. */
class LateDriver implements Driver {
  readonly name = "docker";
  readonly planning = Promise.withResolvers<void>();
  waits = false;
  starts = 0;

  async plan(_input: unknown, _log: unknown, signal: AbortSignal): Promise<DriverPlan> {
    if (this.waits) {
      this.planning.resolve();
      await whenAborted(signal);
    }
    return { resources: [{ type: "machine", name: "one", agentNames: ["main"] }] };
  }

  async start(): Promise<DriverResult> {
    this.starts += 1;
    return { state: undefined, resources: [] };
  }

  async stop(): Promise<DriverResult> {
    return { state: undefined, resources: [] };
  }

  delete(): Promise<DriverResult> {
    return this.stop();
  }

  async observe(): Promise<{ readonly agents: [] }> {
    return { agents: [] };
  }
}

it("does not begin what was canceled in the meantime", async () => {
  const driver = new LateDriver();
  const { admin, ...server } = await openServer(inject("postgresUrl"), {}, [driver]);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const templateId = await pushTemplate(admin, "late", template);
  driver.waits = true;
  const body = { name: "dev", template_id: templateId };
  const { id, latest_build: build } = await admin.call(createWorkspace, {
    params: { user: "me" },
    body,
  });
  await driver.planning.promise;
  await admin.call(cancelBuild, { params: { build: build.id } });
  const { latest_build: ended } = await waitForWorkspace(
    admin,
    id,
    (one) => one.latest_build.job.status === "canceled",
  );
  expect([ended.job.status, driver.starts]).toEqual(["canceled", 0]);
});
