import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { type Answer, AnsweringServer, notVisible } from "../tests/support/answering-server.ts";
import { sampleBuild, sampleWorkspace } from "../tests/support/sample-workspace.ts";

const server = AnsweringServer.forEachTest();

it("sets banners, prints them, and removes them", async () => {
  const banner = { enabled: true, message: "noon" };
  const hidden = { enabled: false, message: "hidden" };
  server.answers = new Map(
    Object.entries({
      "GET /api/v2/appearance": { status: 200, body: { announcement_banners: [banner, hidden] } },
      "PUT /api/v2/appearance": { status: 200, body: { announcement_banners: [] } },
    }),
  );
  const as = `--url ${server.url} --token t`;
  expect((await server.run(`announce ${as}`)).terminal.outText()).toBe("noon\n");
  expect((await server.run(`announce --clear ${as}`)).terminal.errText()).toBe("no banners\n");
  expect((await server.run(`announce noon --clear ${as}`)).code).toBe(2);
  expect(server.requests).toEqual(["GET /api/v2/appearance", "PUT /api/v2/appearance"]);
});

it("prints the requests of a command if asked to, before or after its name", async () => {
  for (const line of ["--debug-http publickey", "publickey --debug-http"]) {
    const { terminal } = await server.run(`${line} --url ${server.url} --token secret-token`);
    expect(terminal.errText()).toMatch(
      /^GET http:\S+\/api\/v2\/users\/me\/gitsshkey: 404 in \d+ ms\n/,
    );
    expect(terminal.errText()).not.toContain("secret");
  }
  const { terminal } = await server.run(`publickey --url ${server.url} --token secret-token`);
  expect(terminal.errText()).not.toContain("gitsshkey");
});

it("prints the columns of the user that are named, or a table of the usual ones", async () => {
  const user = {
    id: "0190a1b2-0000-7000-8000-00000000000a",
    username: "ada",
    email: "ada@example.com",
    roles: [{ name: "owner", display_name: "Owner" }],
    organization_ids: ["0190a1b2-0000-7000-8000-00000000000b"],
  };
  server.answers = new Map([["GET /api/v2/users/me", { status: 200, body: user }]]);
  const whoami = async (flags: string): Promise<string> =>
    (await server.run(`whoami --url ${server.url} --token t${flags}`)).terminal.outText();
  expect(await whoami(" -c username,roles")).toBe("USERNAME  ROLES\nada       Owner\n");
  expect(await whoami(" --column orgs")).toBe(`ORGS\n${user.organization_ids[0]}\n`);
  expect(await whoami(" -o table")).toMatch(/^URL +USERNAME +ID\n/);
  expect(await whoami(" -o table")).toContain(`${server.url}  ada       ${user.id}\n`);
  expect(await whoami("")).toMatch(/^User +ada\n/);
  expect(JSON.parse(await whoami(" -o json -c id"))).toEqual(user);
});

it("lists the templates of the organization that is named, by name or id, and otherwise all", async () => {
  const lab = "0190a1b2-0000-7000-8000-00000000000a";
  const of = (name: string, organization_name: string, organization_id: string) => ({
    name,
    organization_name,
    organization_id,
  });
  const body = [
    of("box", "default", "0190a1b2-0000-7000-8000-00000000000b"),
    of("rig", "lab", lab),
  ];
  server.answers = new Map<string, Answer>([
    ["GET /api/v2/templates", { status: 200, body }],
    ["GET /api/v2/organizations/la", notVisible],
  ]);
  const list = async (flags: string): Promise<string> => {
    const { terminal } = await server.run(
      `templates list -c name --url ${server.url} --token t${flags}`,
    );
    return `${terminal.outText()}${terminal.errText()}`;
  };
  expect(await list("")).toBe("NAME\nbox\nrig\n");
  expect(await list(" --org lab")).toBe("NAME\nrig\n");
  expect(await list(` -O ${lab}`)).toBe("NAME\nrig\n");
  expect(await list(" --organization Lab")).toBe("NAME\nrig\n");
  const unknown = "organization la does not exist or is not visible to you";
  expect(await list(" --org la")).toBe(`error: ${unknown}\n`);
  expect((await server.run(`templates list --org la --url ${server.url} --token t`)).code).toBe(4);
  server.answers = new Map([
    ...server.answers,
    ["GET /api/v2/organizations/la", { status: 200, body: {} }],
  ]);
  expect(await list(" --org la")).toBe("no templates of organization la\n");
});

it("prints a list for programs", async () => {
  const workspace = { name: "demo", owner_name: "ada" };
  server.answers = new Map([
    ["GET /api/v2/workspaces", { status: 200, body: { workspaces: [workspace], count: 1 } }],
  ]);
  const { code, terminal } = await server.run(`list -o json --url ${server.url} --token t`);
  expect(JSON.parse(terminal.outText())).toEqual([workspace]);
  expect(code).toBe(0);
});

it("prints every character of a command's output for programs", async () => {
  const id = "22222222-2222-4222-8222-222222222222";
  const stdout = "a\u001b[31mb\u007fc\u009bd\u202ee\u2028f\r\n";
  const run = {
    id,
    instance_id: id,
    command: "x",
    status: "exited",
    exit_code: 7,
    signal: null,
    timed_out: false,
  };
  const chunks = [{ seq: 99, stream: "stdout", data: Buffer.from(stdout).toString("base64") }];
  const page = { run, chunks, missed_bytes: 0, next_seq: 99, is_complete: true };
  const stopped = { ...sampleWorkspace, latest_build: { ...sampleBuild, status: "stopped" } };
  server.answers = new Map<string, Answer>([
    ["GET /api/v2/users/me/workspace/demo", { status: 200, body: stopped }],
    [`GET /api/v2/workspaces/${stopped.id}/runs/${id}/output`, { status: 200, body: page }],
  ]);
  const line = `exec demo --attach ${id} -o json --url ${server.url} --token t`;
  const { code, terminal } = await server.run(line);
  expect(JSON.parse(terminal.outText())).toMatchObject({ id, exit_code: 7, stdout });
  expect(terminal.outText()).toMatch(/^[ -~]*\n$/);
  expect(code).toBe(7);
});

it("exits with 3 and a hint to log in once the session has expired", async () => {
  server.answers = new Map([
    ["GET /api/v2/workspaces", { status: 401, body: { message: "Signed out." } }],
  ]);
  const { code, terminal } = await server.run(`list --url ${server.url} --token t`);
  expect(terminal.errText()).toBe(`error: Signed out.\nlog in with: slipway login ${server.url}\n`);
  expect(code).toBe(3);
});

it("exits with 4 for a workspace that does not exist", async () => {
  server.answers = new Map();
  const { code, terminal } = await server.run(`show nothing --url ${server.url} --token t`);
  expect(terminal.errText()).toContain("workspace nothing does not exist");
  expect(code).toBe(4);
});

it("exits with 1 if no server answers", async () => {
  await server.close();
  const { code, terminal } = await server.run(`list --url ${server.url} --token t`);
  expect(terminal.errText()).toContain(`cannot reach ${server.url}`);
  expect(code).toBe(1);
});

it("exits with 2 for an invalid address", async () => {
  const { code, terminal } = await server.run("list --url ftp://x");
  expect(terminal.errText()).toContain('"ftp://x" is not a server address');
  expect(code).toBe(2);
});

it("deletes nothing without -y and without a terminal", async () => {
  server.answers = new Map();
  const { code, terminal } = await server.run(`delete demo --url ${server.url} --token t`);
  expect(terminal.errText()).toContain("not a terminal: pass --yes");
  expect(code).toBe(2);
});

it("sends no request for a template with problems", async () => {
  await writeFile(join(server.directory, "slipway.yaml"), "driver: process\nagnets: {}\n");
  const { code, terminal } = await server.run(
    `templates push ${server.directory} --url ${server.url} --token t`,
  );
  expect(terminal.errText()).toContain("did you mean `agents`?");
  expect(terminal.errText()).toContain("nothing was uploaded");
  expect(code).toBe(1);
  expect(server.requests).toEqual([]);
});

const workspace = { ...sampleWorkspace, name: "demo", owner_name: "ada" };
const workspacePath = `/api/v2/workspaces/${workspace.id}`;
const foundWorkspace = {
  "GET /api/v2/users/me/workspace/demo": { status: 200, body: workspace },
  [`GET ${workspacePath}`]: { status: 200, body: workspace },
};

it.each([
  ["rename demo trial", "PATCH", "", "renamed ada/demo to trial"],
  ["favorite demo", "PUT", "/favorite", "ada/demo is now a favorite"],
  ["unfavorite demo", "DELETE", "/favorite", "ada/demo is no longer a favorite"],
  ["autoupdate demo always", "PUT", "/autoupdates", "starts with the active version"],
  ["schedule start demo 9:30am mon-fri UTC", "PUT", "/autostart", "9:30 Mon-Fri (UTC)"],
  ["schedule start demo manual", "PUT", "/autostart", "starts only manually"],
  ["schedule stop demo 8h", "PUT", "/ttl", "stops 8h after each start"],
  ["schedule extend demo 2h", "PUT", "/extend", "ada/demo stops in 2h"],
])("%s: sends the request and reports the result", async (line, method, path, text) => {
  const status = path === "/extend" ? 200 : 204;
  const body = status === 200 ? { message: "done" } : undefined;
  server.answers = new Map(
    Object.entries({ ...foundWorkspace, [`${method} ${workspacePath}${path}`]: { status, body } }),
  );
  const said = await server.run(`${line} --url ${server.url} --token t`);
  expect(said.terminal.errText()).toContain(text);
  expect(said.code).toBe(0);
  const printed = await server.run(`${line} -o json --url ${server.url} --token t`);
  expect(JSON.parse(printed.terminal.outText())).toEqual(workspace);
});

it("says how to get a deadline where there is none to extend", async () => {
  const path = `PUT ${workspacePath}/extend`;
  const body = { message: "Workspace shutdown is manual." };
  server.answers = new Map(Object.entries({ ...foundWorkspace, [path]: { status: 409, body } }));
  const said = await server.run(`schedule extend demo 2h --url ${server.url} --token t`);
  expect(said.code).toBe(1);
  expect(said.terminal.errText()).toContain("ada/demo does not stop by itself");
  expect(said.terminal.errText()).toContain("slipway schedule stop ada/demo 8h");
});

it("cancels a running build, and refuses a finished one", async () => {
  const { latest_build: build } = workspace;
  server.answers = new Map(Object.entries(foundWorkspace));
  const done = await server.run(`cancel demo --url ${server.url} --token t`);
  expect(done.terminal.errText()).toContain("build 3 (start) of ada/demo has already finished");
  expect(done.code).toBe(1);
  const job = { ...build.job, status: "running" as const };
  const busy = { ...workspace, latest_build: { ...build, job } };
  server.answers = new Map(
    Object.entries({
      "GET /api/v2/users/me/workspace/demo": { status: 200, body: busy },
      [`PATCH /api/v2/workspacebuilds/${build.id}/cancel`]: { status: 200, body: { message: "" } },
    }),
  );
  const canceled = await server.run(`cancel demo --url ${server.url} --token t`);
  expect(canceled.terminal.errText()).toContain("build 3 (start) of ada/demo is being canceled");
  expect(canceled.code).toBe(0);
});
