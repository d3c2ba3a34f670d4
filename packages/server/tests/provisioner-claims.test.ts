import { createTemplate } from "@slipway/api/templates/routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import { pushVersion, requireAgent, waitForWorkspace } from "@slipway/testkit";
import { sql } from "kysely";
import { expect, inject, it } from "vitest";

import { openServer } from "./support/open-server.ts";
import { waitForPrebuilds } from "./support/pool.ts";
import { agent, connect, json, reading, resource } from "./support/raw-provisioner-jobs.ts";

it("a provisioner hands a prebuild over, whose agent keeps its token", async () => {
  await using server = await openServer(inject("postgresUrl"), { SLIPWAY_TERRAFORM: "off" });
  const { provisioner } = await connect(server, "pool");
  await using _ = provisioner;
  const result = json({
    resources: [resource],
    agents: [{ definition: agent, token: "5d3a9b1e-9a3a-4b38-8f4e-1f1f6f6a7c11" }],
  });
  const state = json({ version: 4, serial: 1 });
  const end = (call: string): void => {
    provisioner.sendPart(call, "result", result);
    provisioner.sendPart(call, "state", state);
    provisioner.send({ type: "end", call });
  };
  const pushing = pushVersion(server.admin, "# x", { file: "main.tf", tags: { only: "pool" } });
  const { call: read } = await provisioner.nextCall();
  const preset = {
    name: "ready",
    displayName: "",
    description: "",
    icon: "",
    isDefault: true,
    parameters: [],
    prebuilds: { instances: 1, expireAfterSeconds: 0 },
  };
  const definition = { ...reading.definition, presets: [preset] };
  provisioner.sendPart(read, "result", json({ ...reading, definition }));
  provisioner.send({ type: "end", call: read });
  const template = await server.admin.call(createTemplate, {
    params: { organization: "default" },
    body: { name: "pool", template_version_id: await pushing },
  });
  const start = await provisioner.nextCall();
  expect(start.method).toBe("start");
  const built: unknown = JSON.parse(provisioner.part(start.call, "input").toString());
  expect(built).toMatchObject({ isPrebuild: true });
  end(start.call);
  const [prebuild] = await waitForPrebuilds(server, 1);
  const id = prebuild?.id ?? "";
  await waitForWorkspace(server.admin, id, (one) => one.latest_build.status === "running");
  await sql`update workspace_agents set lifecycle_state = 'ready'`.execute(server.db);
  const tokenHash = async (): Promise<unknown> => {
    const { rows } = await sql<{ hash: string }>`
      select encode(auth_token_hash, 'hex') as hash from workspace_agents where not deleted`.execute(
      server.db,
    );
    return rows;
  };
  const before = await tokenHash();
  const created = await server.admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name: "claimed", template_id: template.id, require_prebuild: true },
  });
  expect(created.id).toBe(id);
  const { call: claim, method } = await provisioner.nextCall();
  expect(method).toBe("claim");
  expect(provisioner.part(claim, "state").equals(state)).toBe(true);
  const claimed: unknown = JSON.parse(provisioner.part(claim, "input").toString());
  expect(claimed).toMatchObject({
    isPrebuild: false,
    workspace: { id, name: "claimed", owner: { username: "admin" } },
    agents: [{ name: "main", token: "5d3a9b1e-9a3a-4b38-8f4e-1f1f6f6a7c11" }],
  });
  end(claim);
  const workspace = await waitForWorkspace(
    server.admin,
    id,
    (one) => one.latest_build.status === "running" && one.latest_build.build_number === 2,
  );
  expect(workspace.owner_name).toBe("admin");
  expect(requireAgent(workspace).name).toBe("main");
  expect(await tokenHash()).toEqual(before);
});
