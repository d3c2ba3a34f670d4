import { randomUUID } from "node:crypto";

import { deleteTemplate, getTemplate } from "@slipway/api/templates/routes";
import { deleteUser, getUser } from "@slipway/api/users/routes";
import type { User } from "@slipway/api/users/user";
import { createBuild, listBuilds } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import { keepOrigin } from "../src/features/builds/lock-service.ts";
import { choosePrebuilds } from "../src/features/claims/choose-prebuilds.ts";
import { sqlClaim } from "../src/features/claims/claim-queries.ts";
import { markTemplateDeleted } from "../src/features/templates/change-service.ts";
import { lockTemplate } from "../src/features/templates/queries.ts";
import { lockUserToDelete } from "../src/features/users/change-service.ts";
import { updateUser } from "../src/features/users/queries.ts";
import { settingsColumns, workspaceRows } from "../src/features/workspaces/queries.ts";
import { insertRows } from "../src/platform/db/insert-rows.ts";
import { holdOpen, type OpenTransaction, waitForBlocked } from "./support/lock-waits.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";
import { claim, fillPool, listPrebuilds, pushPool, type TestPool } from "./support/pool.ts";

let opened: AsyncDisposableStack;
let server: OpenServer;
let pool: TestPool;
let ann: { readonly client: Client; readonly user: User };
let prebuildId: string;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await openServer(inject("postgresUrl")));
  pool = await pushPool(server, 1);
  const [filled] = await fillPool(server, 1, opened);
  prebuildId = filled?.workspace.id ?? "";
  ann = await addPerson(server, "ann");
});

afterEach(() => opened.disposeAsync());

const settings = {
  automaticUpdates: "never",
  autostart: undefined,
  ttlMs: undefined,
  onDeadline: "stop",
} as const;

/** Holds open an uncommitted claim for Ann, which has the prebuild. */
async function holdClaim(): Promise<OpenTransaction<string | undefined>> {
  const owner = {
    ownerId: ann.user.id,
    name: "mine",
    settings: settingsColumns(settings, pool.template),
  };
  const held = await holdOpen(server.db, async (trx) => {
    const trying = sqlClaim(trx, { endsAgents: true, waits: true });
    return (await choosePrebuilds(trying, pool.presetId, [owner]))[0];
  });
  opened.use(held);
  expect(held.result).toBe(prebuildId);
  return held;
}

/** Commits the transaction once a request waits for its lock; resolves to the request's outcome. */
async function endOf(request: Promise<unknown>, held: OpenTransaction<unknown>): Promise<unknown> {
  const ended = request.then(
    () => "succeeded",
    (error: unknown) => error,
  );
  await waitForBlocked(server.db);
  await held.commit();
  return ended;
}

it.each(["delete", "stop", "start"] as const)(
  "refuses an administrator's %s of a prebuild that was claimed meanwhile",
  async (transition) => {
    const held = await holdClaim();
    const params = { workspace: prebuildId };
    const request = server.admin.call(createBuild, { params, body: { transition } });
    expect(await endOf(request, held)).toMatchObject({
      status: 409,
      body: { message: "The workspace has a new owner." },
    });
    expect(await server.admin.call(listBuilds, { params })).toHaveLength(1);
    const workspace = await ann.client.call(getWorkspace, { params });
    expect(workspace).toMatchObject({ name: "mine", latest_build: { status: "running" } });
  },
);

it("builds the prebuild when the claim is undone", async () => {
  const held = await holdClaim();
  const params = { workspace: prebuildId };
  const request = server.admin.call(createBuild, { params, body: { transition: "stop" } });
  await waitForBlocked(server.db);
  await held.rollBack();
  expect((await request).transition).toBe("stop");
});

it("does not count an administrator's use of a prebuild as its claimer's", async () => {
  const held = await holdClaim();
  const request = server.request("POST", `/workspaces/${prebuildId}/usage`);
  expect(await endOf(request, held)).toBe("succeeded");
  expect(await request).toMatchObject({ status: 409 });
});

it("deletes no template of which somebody claims a workspace", async () => {
  const held = await holdClaim();
  const params = { template: pool.template.id };
  expect(await endOf(server.admin.call(deleteTemplate, { params }), held)).toMatchObject({
    status: 400,
  });
  expect((await server.admin.call(getTemplate, { params })).id).toBe(pool.template.id);
});

it("deletes the template when the claim is undone, and its prebuild with it", async () => {
  const held = await holdClaim();
  const params = { template: pool.template.id };
  const request = server.admin.call(deleteTemplate, { params });
  await waitForBlocked(server.db);
  await held.rollBack();
  await request;
  await expect.poll(async () => (await listPrebuilds(server.admin)).length).toBe(0);
});

it.each([
  ["claims nothing", true],
  ["makes nothing", false],
])("%s of a template that is deleted meanwhile", async (_what, isClaim) => {
  const { id } = pool.template;
  const held = await holdOpen(server.db, async (trx) => {
    await lockTemplate(trx, id);
    return markTemplateDeleted(trx, id);
  });
  opened.use(held);
  expect(held.result).toBe(true);
  const body = { name: "mine", template_id: id };
  const request = isClaim
    ? claim(ann.client, "mine", pool)
    : ann.client.call(createWorkspace, { params: { user: "me" }, body });
  expect(await endOf(request, held)).toMatchObject({
    status: 400,
    body: { validations: [{ field: "template_id" }] },
  });
  expect(await workspacesOfAnn()).toEqual([]);
});

it("deletes no template of which somebody makes a workspace", async () => {
  const { id: templateId, organization_id: organizationId } = pool.template;
  const origin = { templateId, ownerId: ann.user.id };
  const held = await holdOpen(server.db, async (trx) => {
    await keepOrigin(trx, origin);
    const workspace = { ...origin, id: randomUUID(), organizationId, name: "mine" };
    const rows = workspaceRows(workspace, settingsColumns(settings, pool.template));
    return insertRows(trx, rows);
  });
  opened.use(held);
  const params = { template: templateId };
  expect(await endOf(server.admin.call(deleteTemplate, { params }), held)).toMatchObject({
    status: 400,
  });
});

it("deletes no user who claims a workspace", async () => {
  const held = await holdClaim();
  const params = { user: ann.user.id };
  expect(await endOf(server.admin.call(deleteUser, { params }), held)).toMatchObject({
    status: 409,
  });
  expect((await server.admin.call(getUser, { params })).username).toBe("ann");
});

it("claims nothing for a user who is deleted meanwhile", async () => {
  const { id } = ann.user;
  const held = await holdOpen(server.db, async (trx) => {
    await lockUserToDelete(trx, id);
    await updateUser(trx, id, { deleted: true });
  });
  opened.use(held);
  const request = server.admin.call(createWorkspace, {
    params: { user: id },
    body: {
      name: "hers",
      template_id: pool.template.id,
      template_version_preset_id: pool.presetId,
    },
  });
  expect(await endOf(request, held)).toMatchObject({ status: 404 });
  expect(await workspacesOfAnn()).toEqual([]);
});

function workspacesOfAnn() {
  return server.db
    .selectFrom("workspaces")
    .where("owner_id", "=", ann.user.id)
    .select("id")
    .execute();
}
