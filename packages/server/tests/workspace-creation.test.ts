import {
  createWorkspace,
  getWorkspaceAllowances,
  listWaitingPrebuilds,
} from "@slipway/api/workspaces/routes";
import { pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";
import { becomeReady, connectAgents, pushPool, waitForPrebuilds } from "./support/pool.ts";

/* What the form for a new workspace says before it is created. */

let server: OpenServer;

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"), {
    SLIPWAY_MAX_WORKSPACES_PER_USER: "5",
    SLIPWAY_MAX_RUNNING_WORKSPACES_PER_USER: "unlimited",
  });
});
afterAll(() => server[Symbol.asyncDispose]());

describe("allowances", () => {
  it("say how many workspaces a user has and may have", async () => {
    const ann = await addPerson(server, "ann");
    const outside = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
    const templateId = await pushTemplate(server.admin, "outside", outside);
    const params = { user: "me" };
    expect(await ann.client.call(getWorkspaceAllowances, { params })).toMatchObject({
      workspaces: { used: 0, limit: 5 },
    });
    const body = { name: "dev", template_id: templateId };
    await ann.client.call(createWorkspace, { params, body });
    expect(await ann.client.call(getWorkspaceAllowances, { params })).toEqual({
      workspaces: { used: 1, limit: 5 },
      running: { used: 1, limit: null },
    });
    expect(
      await server.admin.call(getWorkspaceAllowances, { params: { user: "ann" } }),
    ).toMatchObject({ workspaces: { used: 1 } });
  });
});

describe("waiting prebuilds", () => {
  it("are those that a claim would find", async () => {
    const { template, presetId } = await pushPool(server, 1);
    const bob = await addPerson(server, "bob");
    const count = async (): Promise<number | undefined> => {
      const params = { version: template.active_version_id };
      const counts = await bob.client.call(listWaitingPrebuilds, { params });
      expect(counts.map(({ preset_id }) => preset_id)).toEqual([presetId]);
      return counts[0]?.waiting;
    };
    const [prebuild] = await waitForPrebuilds(server, 1);
    expect(await count()).toBe(0);
    const agents = await connectAgents(server, prebuild?.id ?? "");
    await Promise.all(agents.map((agent) => becomeReady(agent)));
    await expect.poll(count).toBe(1);
    await bob.client.call(createWorkspace, {
      params: { user: "me" },
      body: {
        name: "claimed",
        template_id: template.id,
        template_version_preset_id: presetId,
        require_prebuild: true,
      },
    });
    expect(await count()).toBe(0);
    await Promise.all(agents.map(({ connection }) => connection.close()));
  });
});
