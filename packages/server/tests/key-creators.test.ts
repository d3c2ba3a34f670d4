import { listAuditLogs } from "@slipway/api/audit/routes";
import { regenerateGitKey } from "@slipway/api/users/git-key-routes";
import { createKey, createToken, getTokenByName } from "@slipway/api/users/key-routes";
import {
  activateUser,
  deleteUser,
  suspendUser,
  updatePassword,
  updateProfile,
} from "@slipway/api/users/routes";
import { openClient } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson, type Client, type Person } from "./support/people.ts";

/* Keys created for another user: every action with them records both users. */

const opened = new AsyncDisposableStack();
let server: OpenServer;
let ann: Person;
const me = { user: "me" };

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  ann = await addPerson(server, "ann");
});
afterAll(() => opened.disposeAsync());

async function lastEntry() {
  const { audit_logs: entries } = await server.admin.call(listAuditLogs, { query: { limit: "1" } });
  return entries[0];
}

/** Creates a session of Ann's as the administrator. */
async function borrowSession(): Promise<Client> {
  const { key } = await server.admin.call(createKey, { params: { user: ann.user.id } });
  return openClient(server.url, key);
}

describe("a key that another user made", () => {
  it("names them with all that is done with it", async () => {
    const borrowed = await borrowSession();
    await borrowed.call(regenerateGitKey, { params: me });
    expect(await lastEntry()).toMatchObject({
      resource_type: "git_ssh_key",
      user: { username: "ann" },
      additional_fields: { key_created_by: { username: "admin" } },
      description: "{user} updated git ssh key {target} with a key made by admin",
    });
  });

  it("hands its maker on to the keys that are made with it", async () => {
    const borrowed = await borrowSession();
    const body = { token_name: "hidden" };
    const { key } = await borrowed.call(createToken, { params: me, body });
    const token = openClient(server.url, key);
    await token.call(updateProfile, { params: me, body: { username: "ann", name: "Ann" } });
    expect(await lastEntry()).toMatchObject({
      action: "write",
      resource_type: "user",
      user: { username: "ann" },
      additional_fields: { key_created_by: { username: "admin" } },
    });
    const shown = await ann.client.call(getTokenByName, { params: { ...me, name: "hidden" } });
    expect(shown.created_by).toMatch(/^[0-9a-f-]{36}$/);
    expect(shown.created_by).not.toBe(ann.user.id);
  });

  it("ends with the sessions of its maker, and rests while the maker is suspended", async () => {
    const bob = await addPerson(server, "bob", ["owner"]);
    const { key } = await bob.client.call(createKey, { params: { user: ann.user.id } });
    const borrowed = openClient(server.url, key);
    const { key: token } = await borrowed.call(createToken, { params: me, body: {} });
    const made = [borrowed, openClient(server.url, token)];
    const statuses = () =>
      Promise.all(
        made.map(async (client) => {
          const { status } = await server.request("GET", "/users/me", undefined, client);
          return status;
        }),
      );
    const params = { user: bob.user.id };
    expect(await statuses()).toEqual([200, 200]);
    await server.admin.call(suspendUser, { params });
    expect(await statuses()).toEqual([401, 401]);
    await server.admin.call(activateUser, { params });
    expect(await statuses()).toEqual([200, 200]);
    const body = { password: "another-horse-battery-43" };
    await server.admin.call(updatePassword, { params, body });
    expect(await statuses()).toEqual([401, 401]);
    expect(await server.request("GET", "/users/me", undefined, ann.client)).toMatchObject({
      status: 200,
    });
  });

  it("ends with its maker", async () => {
    const cid = await addPerson(server, "cid", ["owner"]);
    const { key } = await cid.client.call(createKey, { params: { user: ann.user.id } });
    const borrowed = openClient(server.url, key);
    const ask = () => server.request("GET", "/users/me", undefined, borrowed);
    expect(await ask()).toMatchObject({ status: 200 });
    await server.admin.call(deleteUser, { params: { user: cid.user.id } });
    expect(await ask()).toMatchObject({ status: 401 });
  });

  it("is told from one of the user's own", async () => {
    const { key } = await ann.client.call(createKey, { params: me });
    const own = openClient(server.url, key);
    await own.call(createToken, { params: me, body: { token_name: "own" } });
    const entry = await lastEntry();
    expect(entry?.additional_fields).toEqual({});
    expect(entry?.description).toBe("{user} created api key {target}");
    const shown = await ann.client.call(getTokenByName, { params: { ...me, name: "own" } });
    expect(shown).not.toHaveProperty("created_by");
  });
});
