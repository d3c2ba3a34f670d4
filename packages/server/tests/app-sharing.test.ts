import { randomUUID } from "node:crypto";
import { once } from "node:events";

import type { ScopeName } from "@slipway/api/contract/scopes";
import { updateTemplate } from "@slipway/api/templates/routes";
import { createToken } from "@slipway/api/users/key-routes";
import { sharePort, unsharePort } from "@slipway/api/workspaces/port-share-routes";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { WebSocket } from "ws";

import { ask } from "./support/app-world.ts";
import { type AppsSite, openAppsSite, tokenOf } from "./support/apps-site.ts";
import { addPerson } from "./support/people.ts";

/* Access to the apps and ports of a workspace. */

let site: AppsSite;
beforeAll(async () => {
  site = await openAppsSite(inject("postgresUrl"));
});
afterAll(() => site[Symbol.asyncDispose]());

const html = { Accept: "text/html" };

describe("sharing", () => {
  interface Viewer {
    readonly name: string;
    readonly headers: Record<string, string>;
  }
  const viewers: Viewer[] = [];

  beforeAll(async () => {
    const { client: member } = await addPerson(site.server, "mia");
    const { client: auditor } = await addPerson(site.server, "aud", ["auditor"]);
    const { client: owner } = await addPerson(site.server, "own", ["owner"]);
    viewers.push(
      { name: "nobody", headers: {} },
      { name: "member", headers: { "Coder-Session-Token": tokenOf(member) } },
      { name: "auditor", headers: { "Coder-Session-Token": tokenOf(auditor) } },
      { name: "owner role", headers: { "Coder-Session-Token": tokenOf(owner) } },
      { name: "owner", headers: { "Coder-Session-Token": tokenOf(site.server.admin) } },
    );
  });

  it.each([
    ["web", [401, 404, 404, 200, 200]],
    ["members", [401, 200, 200, 200, 200]],
    ["team", [401, 200, 200, 200, 200]],
    ["open", [200, 200, 200, 200, 200]],
    ["unknown", [401, 404, 404, 404, 404]],
    ["shell", [401, 404, 404, 400, 400]],
  ])("of %s at a host of its own", async (name, statuses) => {
    const answers = await Promise.all(
      viewers.map(({ headers }) => site.askApp(name, "/", { headers })),
    );
    expect(answers.map(({ status }) => status)).toEqual(statuses);
  });

  it.each([
    ["owner", [401, 401, 401], [404, 404, 404], [200, 200, 200]],
    ["organization", [401, 401, 401], [200, 200, 200], [200, 200, 200]],
    ["authenticated", [401, 401, 401], [200, 200, 200], [200, 200, 200]],
    ["public", [401, 401, 200], [200, 200, 200], [200, 200, 200]],
  ] as const)(
    "is at most as the template allows: %s",
    async (max_port_share_level, ofNobody, ofMember, ofOwner) => {
      const { template_id: template } = await site.workspace();
      const body = { max_port_share_level };
      await site.server.admin.call(updateTemplate, { params: { template }, body });
      const [nobody, member, , , owner] = viewers;
      const statuses = [nobody, member, owner].map(async (viewer) => {
        const headers = viewer?.headers ?? {};
        const apps = ["members", "team", "open"];
        const answers = apps.map((name) => site.askApp(name, "/", { headers }));
        return (await Promise.all(answers)).map(({ status }) => status);
      });
      expect(await Promise.all(statuses)).toEqual([ofNobody, ofMember, ofOwner]);
    },
  );

  it("with the organization is with its members only", async () => {
    const { user, client } = await addPerson(site.server, "out");
    const headers = { "Coder-Session-Token": tokenOf(client) };
    expect(await site.askApp("members", "/", { headers })).toMatchObject({ status: 200 });
    await site.server.db
      .deleteFrom("organization_members")
      .where("user_id", "=", user.id)
      .execute();
    expect(await site.askApp("members", "/", { headers })).toMatchObject({ status: 404 });
    expect(await site.askApp("team", "/", { headers })).toMatchObject({ status: 200 });
  });

  it.each(["web", "members", "team", "open"])("of %s does not count at a path", async (name) => {
    const path = `/@admin/dev/apps/${name}/`;
    const answers = await Promise.all(
      viewers.map(({ headers }) => ask(site.server.url, path, { headers })),
    );
    expect(answers.map(({ status }) => status)).toEqual([401, 404, 404, 404, 200]);
  });

  it("of what is not there looks like that of what may not be opened", async () => {
    const [, member] = viewers;
    const headers = member?.headers ?? {};
    const [hidden, missing] = await Promise.all(
      ["web--dev--admin", "web--none--admin", "web--dev--nobody"].map(async (name) =>
        ask(site.server.url, "/", { host: `${name}.apps.test:${site.port}`, headers }),
      ),
    );
    expect(missing?.text).toBe(hidden?.text);
    expect(missing?.status).toBe(hidden?.status);
  });

  it("does not count for tokens that are limited to something else", async () => {
    const limited = async (scopes: ScopeName[], allow: string[] = ["*:*"]): Promise<number> => {
      const { key } = await site.server.admin.call(createToken, {
        params: { user: "me" },
        body: {
          scopes,
          allow_list: allow,

          token_name: `t${randomUUID().slice(0, 8)}`,
        },
      });
      return (await site.askApp("web", "/", { headers: { "Coder-Session-Token": key } })).status;
    };
    expect(await limited(["workspace:read"])).toBe(401);
    expect(await limited(["workspace:application_connect"])).toBe(200);
    expect(await limited(["coder:application_connect"])).toBe(200);
    const other = `workspace:${randomUUID()}`;
    expect(await limited(["workspace:application_connect"], [other])).toBe(404);
  });
});

describe("a port of an agent", () => {
  const name = (): string => `${site.app.port}--main`;
  const share = async (level: "authenticated" | "organization" | "public"): Promise<void> => {
    const { id } = await site.workspace();
    const body = { agent_name: "main", port: site.app.port, share_level: level };
    await site.server.admin.call(sharePort, { params: { workspace: id }, body });
  };

  it("is opened by its owner, unless it is shared", async () => {
    const { client } = await addPerson(site.server, "per");
    const other = { "Coder-Session-Token": tokenOf(client) };
    const statuses = async (): Promise<number[]> => {
      const own = { "Coder-Session-Token": tokenOf(site.server.admin) };
      const answers = await Promise.all(
        [own, other, {}].map((headers) => site.askApp(name(), "/", { headers })),
      );
      return answers.map(({ status }) => status);
    };
    expect(await statuses()).toEqual([200, 404, 401]);
    await share("organization");
    expect(await statuses()).toEqual([200, 200, 401]);
    await share("public");
    expect(await statuses()).toEqual([200, 200, 200]);
    const { id } = await site.workspace();
    const body = { agent_name: "main", port: site.app.port };
    await site.server.admin.call(unsharePort, { params: { workspace: id }, body });
    expect(await statuses()).toEqual([200, 404, 401]);
  });

  it("that is no longer shared closes what is open of it", async () => {
    await share("public");
    const socket = new WebSocket(`ws://127.0.0.1:${site.port}/`, {
      headers: { Host: site.hostOf(name()) },
    });
    await once(socket, "open");
    const { id } = await site.workspace();
    const body = { agent_name: "main", port: site.app.port };
    await site.server.admin.call(unsharePort, { params: { workspace: id }, body });
    await once(socket, "close");
  });

  it.each(["7777777", "0008", "8"])("%s is refused", async (text) => {
    const headers = { "Coder-Session-Token": tokenOf(site.server.admin), ...html };
    const answer = await site.askApp(`${text}--main`, "/", { headers });
    expect([400, 404]).toContain(answer.status);
  });
});
