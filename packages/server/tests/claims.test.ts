import { getAgent } from "@slipway/api/agents/routes";
import { listBuildParameters } from "@slipway/api/builds/routes";
import { invalidatePrebuilds, updatePrebuildsSettings } from "@slipway/api/prebuilds/routes";
import { updateTemplate } from "@slipway/api/templates/routes";
import { createToken } from "@slipway/api/users/key-routes";
import { createUser } from "@slipway/api/users/routes";
import { listBuilds } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import { connectExternalAgent, openClient } from "@slipway/testkit";
import { parseUuid } from "@slipway/wire/bytes/uuid";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";
import { claim, fillPool, listPrebuilds, pushPool, waitForPrebuilds } from "./support/pool.ts";

let opened: AsyncDisposableStack;
let server: OpenServer;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await openServer(inject("postgresUrl")));
});

afterEach(() => opened.disposeAsync());

function agentsOf(workspace: Awaited<ReturnType<typeof claim>>) {
  return workspace.latest_build.resources.flatMap(({ agents }) => agents);
}

it("keeps as many workspaces waiting as the preset says, for administrators to see", async () => {
  await pushPool(server, 2);
  const waiting = await waitForPrebuilds(server, 2);
  for (const prebuild of waiting) {
    expect(prebuild).toMatchObject({ owner_name: "prebuilds", is_prebuild: true, ttl_ms: null });
    expect(prebuild.name).toMatch(/^prebuild-[a-z2-7]{15}$/);
  }
  const { client } = await addPerson(server, "ann");
  expect(await listPrebuilds(client)).toEqual([]);
  await expect(
    client.call(getWorkspace, { params: { workspace: waiting[0]?.id ?? "" } }),
  ).rejects.toMatchObject({ status: 404 });
});

it("gives a waiting workspace to who asks for the preset, complete at once", async () => {
  const pool = await pushPool(server, 1);
  const [waiting] = await fillPool(server, 1, opened);
  const { client, user } = await addPerson(server, "ann");
  const workspace = await claim(client, "mine", pool, [{ name: "size", value: "large" }]);
  expect(workspace).toMatchObject({
    id: waiting?.workspace.id,
    name: "mine",
    owner_id: user.id,
    is_prebuild: false,
    latest_build: {
      build_number: 2,
      transition: "start",
      status: "running",
      initiator_id: user.id,
      template_version_preset_id: pool.presetId,
    },
  });
  const params = { build: workspace.latest_build.id };
  expect(await client.call(listBuildParameters, { params })).toEqual([
    { name: "color", value: "blue" },
    { name: "size", value: "large" },
  ]);
  expect(agentsOf(workspace).map(({ name }) => name)).toEqual(["main", "second"]);
  const before = waiting === undefined ? [] : agentsOf(waiting.workspace);
  for (const { id } of before) {
    await expect(server.admin.call(getAgent, { params: { agent: id } })).rejects.toMatchObject({
      status: 404,
    });
  }
  await waitForPrebuilds(server, 1);
});

it("keeps the token of every root agent, for which everything else is the new owner's", async () => {
  const pool = await pushPool(server, 1);
  const [waiting] = await fillPool(server, 1, opened);
  const { client } = await addPerson(server, "ann");
  const workspace = await claim(client, "mine", pool);
  const manifests = [];
  for (const [index, before] of (waiting?.agents ?? []).entries()) {
    await before.connection.closed;
    const name = ["main", "second"][index] ?? "";
    const now = await connectExternalAgent(client, workspace.id, name);
    opened.defer(() => now.connection.close());
    expect(now.token).toBe(before.token);
    const signal = AbortSignal.timeout(10_000);
    const manifest = await now.connection.unary(Agent.method.getManifest, {}, signal);
    expect(manifest).toMatchObject({
      ownerUsername: "ann",
      workspaceName: "mine",
      agentName: name,
    });
    expect(parseUuid(manifest.agentId)).toBe(
      agentsOf(workspace).find((agent) => agent.name === name)?.id,
    );
    manifests.push(manifest);
  }
  const [main] = manifests;
  expect(main?.environmentVariables).toMatchObject({ OWNER: "ann", COLOR: "blue" });
  expect(main?.scripts.map(({ script }) => script)).toEqual(["echo mine"]);
});

it("gives each of k who ask at once one of k that wait, and the next an ordinary build", async () => {
  const count = 8;
  const pool = await pushPool(server, count);
  const waiting = await fillPool(server, count, opened);
  const people = await Promise.all(
    Array.from({ length: count + 1 }, (_, index) => addPerson(server, `user${index}`)),
  );
  const got = await Promise.all(people.map(({ client }) => claim(client, "mine", pool)));
  const ids = new Set(waiting.map(({ workspace }) => workspace.id));
  const claimed = got.filter(({ id }) => ids.has(id));
  expect(new Set(claimed.map(({ id }) => id)).size).toBe(count);
  expect(got.filter(({ id }) => !ids.has(id))).toMatchObject([
    { latest_build: { build_number: 1 } },
  ]);
});

it("takes connected ones first, then the oldest", async () => {
  const pool = await pushPool(server, 3);
  const filled = await fillPool(server, 3, opened);
  const [first, second, third] = filled;
  // They were created at the same moment; the names would give the opposite order.
  for (const [index, { workspace }] of filled.entries()) {
    await server.db
      .updateTable("workspaces")
      .set({
        created_at: sql`now() - make_interval(mins => ${3 - index})`,
        name: `prebuild-${3 - index}`,
      })
      .where("id", "=", workspace.id)
      .execute();
  }
  await Promise.all((first?.agents ?? []).map(({ connection }) => connection.close()));
  await expect
    .poll(async () => {
      const params = { workspace: first?.workspace.id ?? "" };
      return agentsOf(await server.admin.call(getWorkspace, { params })).map(
        ({ status }) => status,
      );
    })
    .toEqual(["disconnected", "disconnected"]);
  const { client } = await addPerson(server, "ann");
  const order = [];
  for (const name of ["one", "two", "three"]) order.push((await claim(client, name, pool)).id);
  expect(order).toEqual([second, third, first].map((one) => one?.workspace.id));
});

it("leaves alone what is not ready, has expired or was invalidated", async () => {
  const pool = await pushPool(server, 4);
  const [unready, expired, good, invalidated] = await fillPool(server, 4, opened);
  const { client } = await addPerson(server, "ann");
  // Prevents replacements meanwhile.
  await server.admin.call(updatePrebuildsSettings, { body: { reconciliation_paused: true } });
  await server.db
    .updateTable("workspace_agents")
    .set({ lifecycle_state: "start_error" })
    .where("id", "=", (unready && agentsOf(unready.workspace)[0]?.id) ?? "")
    .execute();
  await server.db
    .updateTable("template_version_presets")
    .set({ invalidate_after_secs: 3_600 })
    .execute();
  await server.db
    .updateTable("workspace_builds")
    .set({ created_at: sql`now() - interval '2 hours'` })
    .where("workspace_id", "=", expired?.workspace.id ?? "")
    .execute();
  // The remaining two were created at the same moment.
  await server.db
    .updateTable("workspaces")
    .set({ created_at: sql`now()` })
    .where("id", "=", invalidated?.workspace.id ?? "")
    .execute();
  expect((await claim(client, "one", pool)).id).toBe(good?.workspace.id);
  await server.admin.call(invalidatePrebuilds, { params: { template: pool.template.id } });
  const fresh = await claim(client, "two", pool);
  expect(fresh.latest_build.build_number).toBe(1);
});

it("changes nothing when the name is taken, a value does not fit or the preset is unknown", async () => {
  const pool = await pushPool(server, 1);
  const [waiting] = await fillPool(server, 1, opened);
  const { client } = await addPerson(server, "ann");
  await claim(client, "mine", { ...pool, presetId: pool.presetId });
  const [next] = await waitForPrebuilds(server, 1);
  await expect(claim(client, "mine", pool)).rejects.toMatchObject({ status: 409 });
  await expect(
    claim(client, "other", pool, [{ name: "colour", value: "red" }]),
  ).rejects.toMatchObject({ status: 400 });
  await expect(
    claim(client, "other", { ...pool, presetId: pool.template.id }),
  ).rejects.toMatchObject({ status: 400 });
  const [still] = await listPrebuilds(server.admin);
  expect(still?.id).toBe(next?.id);
  expect(still?.id).not.toBe(waiting?.workspace.id);
  const params = { workspace: next?.id ?? "" };
  expect(await server.admin.call(listBuilds, { params })).toHaveLength(1);
});

it("changes nothing for those who may not make a workspace of the template", async () => {
  const pool = await pushPool(server, 1);
  const [waiting] = await fillPool(server, 1, opened);
  const { client, user } = await addPerson(server, "ann");
  const { client: bob } = await addPerson(server, "bob");
  const body = {
    name: "mine",
    template_id: pool.template.id,
    template_version_preset_id: pool.presetId,
  };
  // For another user, with a read-only token, from a template that is being removed.
  await expect(
    bob.call(createWorkspace, { params: { user: user.id }, body }),
  ).rejects.toMatchObject({ status: 404 });
  const { key } = await client.call(createToken, {
    params: { user: "me" },
    body: { scopes: ["workspace:read"] },
  });
  await expect(claim(openClient(server.url, key), "mine", pool)).rejects.toMatchObject({
    status: 403,
  });
  const paused = { reconciliation_paused: true };
  await server.admin.call(updatePrebuildsSettings, { body: paused });
  const params = { template: pool.template.id };
  await server.admin.call(updateTemplate, { params, body: { deprecation_message: "use another" } });
  await expect(claim(client, "mine", pool)).rejects.toMatchObject({ status: 400 });
  const [still] = await listPrebuilds(server.admin);
  expect(still?.id).toBe(waiting?.workspace.id);
  expect(still?.latest_build.build_number).toBe(1);
});

it("gives who may act for another what waits for that other one", async () => {
  const pool = await pushPool(server, 1);
  const [waiting] = await fillPool(server, 1, opened);
  const { user } = await addPerson(server, "ann");
  const workspace = await server.admin.call(createWorkspace, {
    params: { user: "ann" },
    body: {
      name: "hers",
      template_id: pool.template.id,
      template_version_preset_id: pool.presetId,
    },
  });
  expect(workspace).toMatchObject({
    id: waiting?.workspace.id,
    owner_id: user.id,
    latest_build: { initiator_name: "admin" },
  });
});

it("claims by the values of the preset, as by its name", async () => {
  const pool = await pushPool(server, 1);
  const [waiting] = await fillPool(server, 1, opened);
  const { client } = await addPerson(server, "ann");
  const make = (name: string, color: string) =>
    client.call(createWorkspace, {
      params: { user: "me" },
      body: {
        name,
        template_id: pool.template.id,
        rich_parameter_values: [{ name: "color", value: color }],
      },
    });
  expect((await make("red", "red")).latest_build.build_number).toBe(1);
  expect((await make("blue", "blue")).id).toBe(waiting?.workspace.id);
});

it("lets nobody have the name or a key of the user who owns what waits", async () => {
  await expect(
    server.admin.call(createUser, {
      body: { username: "prebuilds", email: "x@example.com", password: "correct-horse-battery-42" },
    }),
  ).rejects.toMatchObject({ status: 409 });
  await expect(
    server.db
      .insertInto("api_keys")
      .values({
        id: "abcdefghij",
        hashed_secret: Buffer.from("x"),
        user_id: "c42fdf75-3097-471c-8c33-fb52454d81c0",
        login_type: "token",
        lifetime_seconds: 1,
        expires_at: "2100-01-01T00:00:00Z",
      })
      .execute(),
  ).rejects.toThrow("a system user has no keys");
});
