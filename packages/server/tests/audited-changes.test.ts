import { createWorkspace } from "@slipway/api/workspaces/routes";
import { pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { selectSetting, upsertSetting } from "../src/platform/db/settings-queries.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";
import { type Answer, type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";

/* Changes that only the audit trail tells of afterwards: each has its entry, and one that changes nothing has none. */

let server: OpenServer;
const yaml = `driver: external
agents: { main: { os: linux, arch: amd64 } }
presets: { ready: { prebuilds: { instances: 1 } } }
`;

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
});
afterAll(() => server[Symbol.asyncDispose]());

/** Returns the entries that a search of the audit trail finds, newest first. */
async function entries(search: string): Promise<readonly unknown[]> {
  const query = new URLSearchParams({ q: search });
  const { body } = await server.request("GET", `/audit?${query.toString()}`);
  return Object(body).audit_logs;
}

it("has who paused and resumed the filling of pools", async () => {
  const pause = (isPaused: boolean) =>
    server.request("PUT", "/prebuilds/settings", { reconciliation_paused: isPaused });
  for (const isPaused of [true, true, false]) await pause(isPaused);
  expect(await entries("resource_type:prebuilds_settings")).toMatchObject([
    { action: "write", diff: { reconciliation_paused: { old: true, new: false } } },
    {
      action: "write",
      diff: { reconciliation_paused: { old: false, new: true } },
      user: { username: "admin" },
    },
  ]);
});

/** Sends a change of a setting that waits for another one, which is written meanwhile. */
async function during(key: string, value: object, path: string, body: object): Promise<Answer> {
  await using changing = await holdOpen(server.db, (trx) =>
    upsertSetting(trx, key, JSON.stringify(value)),
  );
  const answer = server.request("PUT", path, body);
  await waitForBlocked(server.db);
  await changing.commit();
  return await answer;
}

it.each([
  ["prebuilds", { reconciliation_paused: true }, { reconciliation_paused: true }],
  ["notifications", { notifier_paused: true }, { paused_at: "2030-01-01T00:00:00Z" }],
])("has a pause of %s once, though two people pause at the same time", async (of, body, value) => {
  const before = await entries(`resource_type:${of}_settings`);
  const answer = await during(`${of}_settings`, value, `/${of}/settings`, body);
  expect(answer).toMatchObject({ status: 304 });
  expect(await selectSetting(server.db, `${of}_settings`)).toBe(JSON.stringify(value));
  expect(await entries(`resource_type:${of}_settings`)).toEqual(before);
});

it("has the banners that a change replaced, though another one came just before it", async () => {
  const banners = (message: string) => [{ enabled: true, message, background_color: "#004852" }];
  const [between, after] = [banners("between"), banners("after")];
  const answer = await during("appearance", { announcement_banners: between }, "/appearance", {
    announcement_banners: after,
  });
  expect(answer).toMatchObject({ status: 200 });
  expect(await entries("resource_type:appearance")).toMatchObject([
    { diff: { announcement_banners: { old: between, new: after } } },
  ]);
});

it("has who created and deleted a provisioner key", async () => {
  const keys = "/organizations/default/provisionerkeys";
  const key = { name: "far", tags: { only: "far" } };
  expect(await server.request("POST", keys, key)).toMatchObject({ status: 201 });
  for (const status of [204, 404]) {
    expect(await server.request("DELETE", `${keys}/far`)).toMatchObject({ status });
  }
  expect(await entries("resource_type:provisioner_key")).toMatchObject([
    {
      action: "delete",
      resource_target: "far",
      diff: { name: { old: "far", new: null } },
      user: { username: "admin" },
    },
    {
      action: "create",
      resource_target: "far",
      diff: { name: { old: null, new: "far" }, tags: { old: null, new: { only: "far" } } },
    },
  ]);
});

it("has the names that a user had before", async () => {
  const { client } = await addPerson(server, "ann");
  const names = { username: "anna", name: "Anna" };
  expect(await server.request("PUT", "/users/me/profile", names, client)).toMatchObject({
    status: 200,
  });
  expect(await entries("resource_type:user username:anna")).toMatchObject([
    {
      action: "write",
      resource_target: "ann",
      diff: { username: { old: "ann", new: "anna" }, name: { old: "", new: "Anna" } },
    },
  ]);
});

it("has the key for Git that was replaced, and a deleted user gets none", async () => {
  const { client, user } = await addPerson(server, "gil");
  await server.request("GET", "/users/me/gitsshkey", undefined, client);
  const meanwhile = async (write: "of another request" | "of a deletion") => {
    await using changing = await holdOpen(server.db, async (trx) => {
      const row = trx.updateTable("users").where("id", "=", user.id);
      await row.set({ deleted: write === "of a deletion" }).execute();
      await trx.updateTable("git_ssh_keys").set({ public_key: "between" }).execute();
    });
    const answer = server.request("PUT", `/users/${user.id}/gitsshkey`);
    await waitForBlocked(server.db);
    await changing.commit();
    return (await answer).status;
  };
  expect(await meanwhile("of another request")).toBe(200);
  expect(await entries("resource_type:git_ssh_key action:write")).toMatchObject([
    { diff: { public_key: { old: "between" } } },
  ]);
  expect(await meanwhile("of a deletion")).toBe(404);
  const keys = server.db.selectFrom("git_ssh_keys").where("user_id", "=", user.id);
  expect(await keys.select("user_id").execute()).toEqual([]);
});

it("has who ended a user's other sessions", async () => {
  const { client } = await addPerson(server, "bea");
  expect(await server.request("DELETE", "/users/me/sessions", undefined, client)).toMatchObject({
    status: 204,
  });
  expect(await entries("username:bea action:delete")).toMatchObject([
    { resource_type: "api_key", resource_target: "" },
  ]);
});

it("has who approved or refused a login by a code, and the login", async () => {
  const { client } = await addPerson(server, "cid");
  const begin = async () => {
    const nobody = { headers: {} };
    const begun = await server.request("POST", "/users/login/device", undefined, nobody);
    return Object(begun.body);
  };
  const decide = (decision: string, code: string) =>
    server.request("POST", `/users/login/device/${decision}`, { user_code: code }, client);
  await decide("refusal", (await begin()).user_code);
  const { device_code: deviceCode, user_code: userCode } = await begin();
  await decide("approval", userCode);
  await server.request("POST", "/users/login/device/session", { device_code: deviceCode });
  expect(await entries("username:cid resource_type:api_key")).toMatchObject([
    { action: "login", status_code: 201 },
    { action: "create", additional_fields: { device_login: "approved" } },
    { action: "login", additional_fields: { device_login: "refused" } },
    // The session that decided.
    { action: "login" },
  ]);
});

it("has whose tokens of external agents were revoked, and which pools were told to start anew", async () => {
  const templateId = await pushTemplate(server.admin, "outside", yaml);
  const made = await server.admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name: "dev", template_id: templateId },
  });
  const settled = (status: string) =>
    waitForWorkspace(server.admin, made.id, (one) => one.latest_build.status === status);
  await settled("running");
  await server.request("POST", `/workspaces/${made.id}/builds`, { transition: "stop" });
  await settled("stopped");
  for (const _ of ["once", "again"]) {
    await server.request("DELETE", `/workspaces/${made.id}/external-agent/credentials`);
  }
  const revoked = await entries("resource_type:workspace action:write");
  expect(revoked).toMatchObject([
    { resource_target: "dev", diff: { agent_tokens: { old: "", new: "", secret: true } } },
  ]);

  const otherId = await pushTemplate(server.admin, "elsewhere", yaml);
  await server.request("POST", `/templates/${templateId}/prebuilds/invalidate`);
  const [invalidated] = await entries("resource_type:template action:write");
  expect(invalidated).toMatchObject({
    resource_target: "outside",
    additional_fields: { invalidated_presets: ["ready"] },
  });
  const untouched = server.db
    .selectFrom("template_version_presets as preset")
    .innerJoin("template_versions as version", "version.id", "preset.template_version_id")
    .where("preset.last_invalidated_at", "is", null)
    .select("version.template_id");
  expect(await untouched.execute()).toEqual([{ template_id: otherId }]);
});
