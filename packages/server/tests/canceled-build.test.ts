import { cancelBuild } from "@slipway/api/builds/routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { DriverPlan, DriverResult } from "@slipway/drivers";
import { whenAborted } from "@slipway/runtime";
import { pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { expect, inject, it, onTestFinished } from "vitest";

import { IdleDriver } from "./support/idle-driver.ts";
import { openServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";

const template = "driver: manual\nagents: { main: { os: linux, arch: amd64 } }\n";

/** A driver that notices only after its plan that a build was canceled. */
class LateDriver extends IdleDriver {
  readonly planning = Promise.withResolvers<void>();
  waits = false;
  starts = 0;

  override async plan(_input: unknown, _log: unknown, signal: AbortSignal): Promise<DriverPlan> {
    if (this.waits) {
      this.planning.resolve();
      await whenAborted(signal);
    }
    return { resources: [{ type: "machine", name: "one", agentNames: ["main"] }] };
  }

  override start(...given: Parameters<IdleDriver["start"]>): Promise<DriverResult> {
    this.starts += 1;
    return super.start(...given);
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

it("is its owner's to cancel, which the audit trail has, and no other member's", async () => {
  const driver = new LateDriver();
  const server = await openServer(inject("postgresUrl"), {}, [driver]);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const templateId = await pushTemplate(server.admin, "late", template);
  driver.waits = true;
  const [owner, other] = [await addPerson(server, "ann"), await addPerson(server, "bob")];
  const { latest_build: build } = await server.admin.call(createWorkspace, {
    params: { user: owner.user.id },
    body: { name: "dev", template_id: templateId },
  });
  await driver.planning.promise;
  const path = `/workspacebuilds/${build.id}/cancel`;
  expect(await server.request("PATCH", path, undefined, other.client)).toMatchObject({
    status: 404,
  });
  expect(await server.request("PATCH", path, undefined, owner.client)).toMatchObject({
    status: 200,
  });
  const { body } = await server.request(
    "GET",
    "/audit?q=resource_type:workspace_build+action:write",
  );
  expect(body).toMatchObject({
    audit_logs: [
      {
        user: { username: "ann" },
        resource_target: "dev",
        diff: { canceled: { old: false, new: true } },
        additional_fields: { workspace_owner: "ann", build_number: 1 },
      },
    ],
  });
});
