import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

import { tarMimeType, uploadFile } from "@slipway/api/files/routes";
import { createTemplate } from "@slipway/api/templates/routes";
import { createTemplateVersion, getTemplateVersion } from "@slipway/api/templates/version-routes";
import { createUser, getUser, suspendUser, updateUserRoles } from "@slipway/api/users/routes";
import { createWorkspace, getWorkspaceByName } from "@slipway/api/workspaces/routes";
import type { ApiClient } from "@slipway/sdk/http";
import { logInAsAdmin, openClient, startServerProcess } from "@slipway/testkit";
import { pack } from "tar-stream";
import { expect, it, onTestFinished } from "vitest";

import { InstalledCommand, ourCommand } from "./support/network/commands.ts";
import { requireVariable } from "./support/require-variable.ts";

/*
 * Imports from a running stock server into ours. The environment names its address (SLIPWAY_STOCK_SERVER) and the session of
 * one of its owners (SLIPWAY_STOCK_OWNER). Both servers need Terraform, ours on the PATH. The test creates a user, a template
 * without providers and a workspace there, and deletes nothing. `packages/cli/tests/long/import.test.ts` covers the details.
 */

/** Pushes a template in Terraform that needs no provider; resolves to its id. */
async function pushToStock(stock: ApiClient, organization: string, name: string): Promise<string> {
  const tar = pack();
  tar.entry({ name: "main.tf" }, `resource "terraform_data" "box" {\n  input = "${name}"\n}\n`);
  tar.finalize();
  const bytes = await buffer(Readable.from(tar));
  const { hash } = await stock.upload(uploadFile, { bytes, contentType: tarMimeType });
  const params = { organization };
  const { id } = await stock.call(createTemplateVersion, {
    params,
    body: { name: "first", storage_method: "file", file_id: hash, provisioner: "terraform" },
  });
  await expect
    .poll(async () => {
      const version = await stock.call(getTemplateVersion, { params: { version: id } });
      return version.job.status;
    }, patience)
    .toBe("succeeded");
  const body = { name, template_version_id: id };
  return (await stock.call(createTemplate, { params, body })).id;
}

const patience = { timeout: 60_000, interval: 500 };

it("imports users, templates and workspaces of a stock server", async () => {
  const url = requireVariable("SLIPWAY_STOCK_SERVER");
  const token = requireVariable("SLIPWAY_STOCK_OWNER");
  const stock = openClient(url, token);
  const username = `moving-${randomUUID().slice(0, 8)}`;
  const email = `${username}@example.com`;
  const password = `Secret-${randomUUID()}`;
  const me = await stock.call(getUser, { params: { user: "me" } });
  await stock.call(createUser, {
    body: { username, email, password, organization_ids: me.organization_ids.slice(0, 1) },
  });
  const params = { user: username };
  await stock.call(updateUserRoles, { params, body: { roles: ["auditor"] } });
  const [organization = ""] = me.organization_ids;
  const templateId = await pushToStock(stock, organization, username);
  const workspace = { name: "dev", template_id: templateId, ttl_ms: 7_200_000 };
  await stock.call(createWorkspace, { params, body: workspace });
  await stock.call(suspendUser, { params });

  const directory = await mkdtemp(join(tmpdir(), "slipway-import-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  // If the server is root, its database runs as another user.
  await chmod(directory, 0o711);
  const server = await startServerProcess({ dataDir: join(directory, "data"), port: 0 });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const admin = await logInAsAdmin(server.url);
  const command = await InstalledCommand.install(ourCommand, join(directory, "command"));
  const ownToken = admin.headers["Coder-Session-Token"] ?? "";
  await command.expect(["login", server.url, "--token", ownToken]);
  const words = ["import", "coder", url, "--token-file", "-", "--yes", "-o", "json"];
  const { code, stdout, stderr } = await command.run(words, token);
  // Other templates of the server may be of a form that ours refuses.
  expect({ code, stderr }).toMatchObject({ code: expect.toBeOneOf([0, 1]) });
  const entries: unknown = JSON.parse(stdout);
  for (const [kind, name, detail] of [
    ["template", username, ""],
    ["version", `${username}/first`, "active"],
    ["workspace", `${username}/dev`, ""],
  ])
    expect(entries).toContainEqual({ kind, name, outcome: "created", detail });
  expect(entries).toContainEqual({
    kind: "user",
    name: username,
    outcome: "created",
    detail: "suspended; needs a new password",
  });
  expect(await admin.call(getUser, { params })).toMatchObject({
    email,
    status: "suspended",
    login_type: "password",
    roles: [{ name: "auditor" }],
  });
  const dev = { params: { user: username, name: "dev" } };
  expect(await admin.call(getWorkspaceByName, dev)).toMatchObject({
    template_name: username,
    ttl_ms: 7_200_000,
    latest_build: { status: "stopped", template_version_name: "first" },
  });
  const again: unknown = JSON.parse((await command.run(words, token)).stdout);
  expect(again).toContainEqual(
    expect.objectContaining({ name: `${username}/dev`, outcome: "present" }),
  );
});
