import { tarMimeType, uploadFile } from "@slipway/api/files/routes";
import { isShellWord } from "@slipway/template";
import { packTemplate, pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { type OpenServer, openServer } from "../support/open-server.ts";
import { addPerson, type Client, testPassword } from "../support/people.ts";
import { claim, fillPool, listPrebuilds, pushPoolOf, waitForPrebuilds } from "../support/pool.ts";

/* Values in templates' scripts: names that the server accepts, and no other values chosen by a user. */

const template = `
driver: external
parameters: { color: { default: red, mutable: true } }
presets: { blue: { parameters: { color: blue }, prebuilds: { instances: 1 } } }
agents:
  main:
    env: { COLOR: "\${{ parameters.color }}" }
    scripts: { hello: { run_on: [start], run: 'echo "$COLOR"' } }
  second: {}
`;

const opened = new AsyncDisposableStack();
let server: OpenServer;
let ann: Client;
let annId: string;
let templateId: string;
let versionId: string;
let fileId: string;
let workspaceId: string;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  const person = await addPerson(server, "ann");
  ann = person.client;
  annId = person.user.id;
  const plain = template.replace(/presets: .*\n/, "");
  templateId = await pushTemplate(server.admin, "named", plain);
  const body = { name: "box", template_id: templateId };
  workspaceId = idOf(await server.request("POST", "/users/me/workspaces", body, ann), "id");
  versionId = idOf(await server.request("GET", `/templates/${templateId}`), "active_version_id");
  const file = { bytes: await packTemplate(plain), contentType: tarMimeType };
  fileId = (await server.admin.upload(uploadFile, file)).hash;
});

afterAll(() => opened.disposeAsync());

function idOf({ body }: { readonly body: unknown }, key: string): string {
  const [, value] = Object.entries(body ?? {}).find(([name]) => name === key) ?? [];
  if (typeof value !== "string") throw new Error(`no ${key} in ${JSON.stringify(body)}`);
  return value;
}

/** Every route that accepts a name that templates may put into scripts. */
const entries: Readonly<Record<string, (name: string) => Promise<{ readonly status: number }>>> = {
  "the first user": (username) =>
    server.request("POST", "/users/first", { ...person(username), trial: false }),
  "a new user": (username) => server.request("POST", "/users", person(username)),
  "a user's new name": (username) =>
    server.request("PUT", `/users/${annId}/profile`, { username, name: "" }, ann),
  "a new workspace": (name) =>
    server.request("POST", "/users/me/workspaces", { name, template_id: templateId }, ann),
  "a workspace's new name": (name) =>
    server.request("PATCH", `/workspaces/${workspaceId}`, { name }, ann),
  "a new template": (name) =>
    server.request("POST", "/organizations/default/templates", {
      name,
      template_version_id: versionId,
    }),
  "a template's new name": (name) => server.request("PATCH", `/templates/${templateId}`, { name }),
  "a new version": (name) =>
    server.request("POST", "/organizations/default/templateversions", {
      name,
      file_id: fileId,
      template_id: templateId,
      storage_method: "file",
      provisioner: "terraform",
    }),
  "a version's new name": (name) =>
    server.request("PATCH", `/templateversions/${versionId}`, { name }),
};

const person = (username: string) => ({
  username,
  email: "new@example.com",
  password: testPassword,
});

const hostile = ["a;b", "a b", "$(id)", "`id`", "-rf", "a$b", "a\nb", "a\n", "a'b", 'a"b', "a\\b"];
const more = ["a&b", "a|b", "a>b", "a*b", "~a", "#a", "a/b", "..", "\u0435", "a\u00a0b", "\uff04a"];

describe("a name that would change a shell's text", () => {
  it.each(Object.keys(entries))("is refused as that of %s", async (entry) => {
    for (const name of [...hostile, ...more]) {
      expect(isShellWord(name)).toBe(false);
      expect([name, (await entries[entry]?.(name))?.status]).toEqual([name, 400]);
    }
  });

  it.each(hostile)("is refused as that of an agent: %j", async (name) => {
    const text = template.replace("main:", `${JSON.stringify(name)}:`);
    await expect(pushTemplate(server.admin, "agents", text)).rejects.toThrow(/wanted lowercase/);
  });

  it("is nobody's: every name and id that builds know is within the alphabet", async () => {
    const { rows } = await server.db
      .selectFrom("workspace_builds as b")
      .innerJoin("workspaces as w", "w.id", "b.workspace_id")
      .innerJoin("users as u", "u.id", "w.owner_id")
      .innerJoin("templates as t", "t.id", "w.template_id")
      .innerJoin("template_versions as v", "v.id", "b.template_version_id")
      .innerJoin("workspace_agents as a", "a.workspace_build_id", "b.id")
      .select(["u.id", "u.username", "w.id as workspace", "w.name", "t.name as template"])
      .select(["v.name as version", "a.name as agent"])
      .execute()
      .then((all) => ({ rows: all.flatMap((row) => Object.values(row)) }));
    expect(rows).toEqual(expect.arrayContaining(["ann", "box", "named", "main"]));
    expect(rows.filter((name) => !isShellWord(name))).toEqual([]);
  });
});

describe("a version that was pushed when parameters could stand in scripts", () => {
  /** Stores a parameter in the script, as an earlier server would have. */
  async function makeOld(id: string): Promise<void> {
    const version = server.db
      .selectFrom("templates")
      .where("id", "=", id)
      .select("active_version_id");
    const row = await server.db
      .selectFrom("template_versions")
      .where("id", "=", version)
      .select(["id", "definition"])
      .executeTakeFirstOrThrow();
    const definition = JSON.stringify(row.definition).replace(
      String.raw`echo \"$COLOR\"`,
      "echo ${{ parameters.color }}",
    );
    expect(definition).toContain("echo ${{ parameters.color }}");
    await server.db
      .updateTable("template_versions")
      .set({ definition })
      .where("id", "=", row.id)
      .execute();
  }

  const refused = {
    status: 400,
    body: {
      validations: [
        {
          field: "template_version_id",
          detail: expect.stringMatching(
            /^agent main, script hello: found `\$\{\{ parameters\.color \}\}`.*; push a new version of the template$/,
          ),
        },
      ],
    },
  };

  it("builds nothing, and stops and deletes what it built", async () => {
    await makeOld(templateId);
    const rich_parameter_values = [{ name: "color", value: "$(id)" }];
    const body = { name: "old", template_id: templateId, rich_parameter_values };
    expect(await server.request("POST", "/users/me/workspaces", body, ann)).toMatchObject(refused);
    const builds = `/workspaces/${workspaceId}/builds`;
    const start = { transition: "start" };
    expect(await server.request("POST", builds, start, ann)).toMatchObject(refused);
    const latest = async () => server.request("GET", `/workspaces/${workspaceId}`, undefined, ann);
    const stop = { transition: "stop" };
    expect(await server.request("POST", builds, stop, ann)).toMatchObject({ status: 201 });
    await expect
      .poll(latest, { timeout: 20_000 })
      .toMatchObject({ body: { latest_build: { status: "stopped" } } });
    const remove = { transition: "delete" };
    expect(await server.request("POST", builds, remove, ann)).toMatchObject({ status: 201 });
    await expect.poll(latest, { timeout: 20_000 }).toMatchObject({ status: 404 });
  });

  it("is not claimed from its pool, and its pool is not filled up", async () => {
    const pool = await pushPoolOf(server, "old-pool", template);
    const [filled] = await fillPool(server, 1, opened);
    await makeOld(pool.template.id);
    await expect(claim(ann, "mine", pool)).rejects.toThrow(/Validation failed/);
    const [waiting] = await waitForPrebuilds(server, 1);
    expect(waiting?.id).toBe(filled?.workspace.id);
    const remove = { transition: "delete" };
    await server.request("POST", `/workspaces/${waiting?.id}/builds`, remove);
    const status = () =>
      server.db
        .selectFrom("template_version_presets")
        .where("id", "=", pool.presetId)
        .select("prebuild_status")
        .executeTakeFirst();
    await expect
      .poll(status, { timeout: 20_000 })
      .toEqual({ prebuild_status: "validation_failed" });
    expect(await listPrebuilds(server.admin)).toEqual([]);
  });
});
