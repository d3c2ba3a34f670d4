import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";

import type { PrebuildPool } from "@slipway/api/prebuilds/routes";
import { systemClock } from "@slipway/runtime";
import { afterEach, beforeEach, expect, it } from "vitest";

import { type MemoryTerminal, memoryTerminal } from "../tests/support/memory-terminal.ts";
import { noOpener } from "../tests/support/recorded-opener.ts";
import { sampleWorkspace } from "../tests/support/sample-workspace.ts";
import { runCommandLine } from "./command/run-command-line.ts";
import { commandTable } from "./gen/command-table.ts";

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

let answers: ReadonlyMap<string, Answer> = new Map();
const requests: string[] = [];
/** The last body of each kind of request. */
const bodies = new Map<string, unknown>();
let server: Server;
let url = "";
let directory = "";

beforeEach(async () => {
  requests.length = 0;
  directory = await mkdtemp(join(tmpdir(), "slipway-config-"));
  server = createServer((request, response) => {
    const [path] = (request.url ?? "").split("?");
    requests.push(`${request.method} ${path}`);
    void readText(request).then((body) => {
      bodies.set(`${request.method} ${path}`, body === "" ? undefined : JSON.parse(body));
      answer(response, answers.get(`${request.method} ${path}`));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});

function answer(
  response: ServerResponse,
  { status, body }: Answer = { status: 404, body: { message: "none" } },
): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(body === undefined ? "" : JSON.stringify(body));
}

interface CommandResult {
  readonly code: number;
  readonly terminal: MemoryTerminal;
}

async function run(
  line: string,
  replies?: readonly (string | boolean)[],
  signal = new AbortController().signal,
): Promise<CommandResult> {
  const terminal = memoryTerminal(replies);
  const never = Promise.withResolvers<"SIGINT">().promise;
  const code = await runCommandLine(commandTable, line.split(" "), {
    terminal,
    environment: { CODER_CONFIG_DIR: directory },
    clock: systemClock,
    signal,
    opener: noOpener,
    interruption: { interrupted: never, forced: new AbortController().signal },
  });
  return { code, terminal };
}

it("sets banners, prints them, and removes them", async () => {
  const banner = { enabled: true, message: "noon" };
  const hidden = { enabled: false, message: "hidden" };
  answers = new Map(
    Object.entries({
      "GET /api/v2/appearance": { status: 200, body: { announcement_banners: [banner, hidden] } },
      "PUT /api/v2/appearance": { status: 200, body: { announcement_banners: [] } },
    }),
  );
  const as = `--url ${url} --token t`;
  expect((await run(`announce ${as}`)).terminal.outText()).toBe("noon\n");
  expect((await run(`announce --clear ${as}`)).terminal.errText()).toBe("no banners\n");
  expect((await run(`announce noon --clear ${as}`)).code).toBe(2);
  expect(requests).toEqual(["GET /api/v2/appearance", "PUT /api/v2/appearance"]);
});

it("prints the requests of a command if asked to, before or after its name", async () => {
  for (const line of ["--debug-http publickey", "publickey --debug-http"]) {
    const { terminal } = await run(`${line} --url ${url} --token secret-token`);
    expect(terminal.errText()).toMatch(
      /^GET http:\S+\/api\/v2\/users\/me\/gitsshkey: 404 in \d+ ms\n/,
    );
    expect(terminal.errText()).not.toContain("secret");
  }
  const { terminal } = await run(`publickey --url ${url} --token secret-token`);
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
  answers = new Map([["GET /api/v2/users/me", { status: 200, body: user }]]);
  const whoami = async (flags: string): Promise<string> =>
    (await run(`whoami --url ${url} --token t${flags}`)).terminal.outText();
  expect(await whoami(" -c username,roles")).toBe("USERNAME  ROLES\nada       Owner\n");
  expect(await whoami(" --column orgs")).toBe(`ORGS\n${user.organization_ids[0]}\n`);
  expect(await whoami(" -o table")).toMatch(/^URL +USERNAME +ID\n/);
  expect(await whoami(" -o table")).toContain(`${url}  ada       ${user.id}\n`);
  expect(await whoami("")).toMatch(/^User +ada\n/);
  expect(JSON.parse(await whoami(" -o json -c id"))).toEqual(user);
});

/** The server's response for resources that are hidden from a user or do not exist. */
const notVisible: Answer = {
  status: 404,
  body: { message: "Resource not found or you do not have access to this resource" },
};

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
  answers = new Map<string, Answer>([
    ["GET /api/v2/templates", { status: 200, body }],
    ["GET /api/v2/organizations/la", notVisible],
  ]);
  const list = async (flags: string): Promise<string> => {
    const { terminal } = await run(`templates list -c name --url ${url} --token t${flags}`);
    return `${terminal.outText()}${terminal.errText()}`;
  };
  expect(await list("")).toBe("NAME\nbox\nrig\n");
  expect(await list(" --org lab")).toBe("NAME\nrig\n");
  expect(await list(` -O ${lab}`)).toBe("NAME\nrig\n");
  expect(await list(" --organization Lab")).toBe("NAME\nrig\n");
  const unknown = "organization la does not exist or is not visible to you";
  expect(await list(" --org la")).toBe(`error: ${unknown}\n`);
  expect((await run(`templates list --org la --url ${url} --token t`)).code).toBe(4);
  answers = new Map([...answers, ["GET /api/v2/organizations/la", { status: 200, body: {} }]]);
  expect(await list(" --org la")).toBe("no templates of organization la\n");
});

it("lists the prebuild pools of the organization that is named, and otherwise all", async () => {
  const lab = "0190a1b2-0000-7000-8000-00000000000a";
  const body = [
    { template_name: "box", organization_name: "default", organization_id: `${lab}b` },
    { template_name: "rig", organization_name: "lab", organization_id: lab },
  ];
  answers = new Map<string, Answer>([
    ["GET /api/v2/prebuilds/pools", { status: 200, body }],
    ["GET /api/v2/organizations/la", notVisible],
  ]);
  const list = async (flags: string): Promise<string> => {
    const { terminal } = await run(`prebuilds list -c template --url ${url} --token t${flags}`);
    return `${terminal.outText()}${terminal.errText()}`;
  };
  expect(await list("")).toBe("TEMPLATE\nbox\nrig\n");
  expect(await list(" --org LAB")).toBe("TEMPLATE\nrig\n");
  expect(await list(` -O ${lab}`)).toBe("TEMPLATE\nrig\n");
  expect(await list(" --org la")).toContain("organization la does not exist or is not visible");
  answers = new Map([...answers, ["GET /api/v2/organizations/la", { status: 200, body: {} }]]);
  expect(await list(" --org la")).toBe("no pools of organization la\n");
});

const loginAnswers = {
  "GET /api/v2/buildinfo": { status: 200, body: { version: "v1.0.0" } },
  "GET /api/v2/users/first": { status: 200, body: { message: "yes" } },
  "POST /api/v2/users/login": { status: 201, body: { session_token: "t" } },
  "GET /api/v2/users/me": {
    status: 200,
    body: { username: "ada", email: "ada@example.com", roles: [] },
  },
};

it("logs in with flags, and is logged in for the next command", async () => {
  answers = new Map(Object.entries(loginAnswers));
  const login = await run(`login ${url} --email ada@example.com --password x`);
  expect(login.terminal.errText()).toContain(`logged in to ${url} as ada`);
  expect(login.code).toBe(0);
  const whoami = await run("whoami");
  expect(whoami.terminal.outText()).toContain(`Server  ${url}`);
});

it("prompts on a terminal for missing values", async () => {
  answers = new Map(Object.entries(loginAnswers));
  const { code } = await run("login", [url, "ada@example.com", "x"]);
  expect(code).toBe(0);
});

it("creates the first user if there is none", async () => {
  answers = new Map(
    Object.entries({
      ...loginAnswers,
      "GET /api/v2/users/first": { status: 404, body: { message: "none" } },
      "POST /api/v2/users/first": { status: 201, body: {} },
    }),
  );
  const { code, terminal } = await run(`login ${url}`, [
    true,
    "ada",
    "ada@example.com",
    "Ada L",
    "x",
  ]);
  expect(terminal.errText()).toContain("has no users yet");
  expect(code).toBe(0);
  expect(bodies.get("POST /api/v2/users/first")).toEqual({
    username: "ada",
    email: "ada@example.com",
    name: "Ada L",
    password: "x",
  });
});

it("creates the first user from the flags that scripts for coder pass", async () => {
  answers = new Map(
    Object.entries({
      ...loginAnswers,
      "GET /api/v2/users/first": { status: 404, body: { message: "none" } },
      "POST /api/v2/users/first": { status: 201, body: {} },
    }),
  );
  const { code } = await run(
    `login ${url} --first-user-username ada --first-user-email=ada@example.com --first-user-full-name Ada --first-user-password x --first-user-trial`,
  );
  expect(code).toBe(0);
  expect(bodies.get("POST /api/v2/users/first")).toEqual({
    username: "ada",
    email: "ada@example.com",
    name: "Ada",
    password: "x",
  });
});

it("names the missing flags without a terminal", async () => {
  answers = new Map(Object.entries(loginAnswers));
  const { code, terminal } = await run(`login ${url} --email ada@example.com`);
  expect(terminal.errText()).toContain("not a terminal: pass --password");
  expect(code).toBe(2);
});

it("sends no password to another kind of server", async () => {
  answers = new Map();
  const { code, terminal } = await run(`login ${url} --email ada@example.com --password x`);
  expect(terminal.errText()).toContain(`${url} is not a Slipway server`);
  expect(code).toBe(1);
});

it("prints a list for programs", async () => {
  const workspace = { name: "demo", owner_name: "ada" };
  answers = new Map([
    ["GET /api/v2/workspaces", { status: 200, body: { workspaces: [workspace], count: 1 } }],
  ]);
  const { code, terminal } = await run(`list -o json --url ${url} --token t`);
  expect(JSON.parse(terminal.outText())).toEqual([workspace]);
  expect(code).toBe(0);
});

it("exits with 3 and a hint to log in once the session has expired", async () => {
  answers = new Map([
    ["GET /api/v2/workspaces", { status: 401, body: { message: "Signed out." } }],
  ]);
  const { code, terminal } = await run(`list --url ${url} --token t`);
  expect(terminal.errText()).toBe(`error: Signed out.\nlog in with: slipway login ${url}\n`);
  expect(code).toBe(3);
});

it("exits with 4 for a workspace that does not exist", async () => {
  answers = new Map();
  const { code, terminal } = await run(`show nothing --url ${url} --token t`);
  expect(terminal.errText()).toContain("workspace nothing does not exist");
  expect(code).toBe(4);
});

it("exits with 1 if no server answers", async () => {
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
  const { code, terminal } = await run(`list --url ${url} --token t`);
  expect(terminal.errText()).toContain(`cannot reach ${url}`);
  expect(code).toBe(1);
});

it("exits with 2 for an invalid address", async () => {
  const { code, terminal } = await run("list --url ftp://x");
  expect(terminal.errText()).toContain('"ftp://x" is not a server address');
  expect(code).toBe(2);
});

it("deletes nothing without -y and without a terminal", async () => {
  answers = new Map();
  const { code, terminal } = await run(`delete demo --url ${url} --token t`);
  expect(terminal.errText()).toContain("not a terminal: pass --yes");
  expect(code).toBe(2);
});

it("sends no request for a template with problems", async () => {
  await writeFile(join(directory, "slipway.yaml"), "driver: process\nagnets: {}\n");
  const { code, terminal } = await run(`templates push ${directory} --url ${url} --token t`);
  expect(terminal.errText()).toContain("did you mean `agents`?");
  expect(terminal.errText()).toContain("nothing was uploaded");
  expect(code).toBe(1);
  expect(requests).toEqual([]);
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
  answers = new Map(
    Object.entries({ ...foundWorkspace, [`${method} ${workspacePath}${path}`]: { status, body } }),
  );
  const said = await run(`${line} --url ${url} --token t`);
  expect(said.terminal.errText()).toContain(text);
  expect(said.code).toBe(0);
  const printed = await run(`${line} -o json --url ${url} --token t`);
  expect(JSON.parse(printed.terminal.outText())).toEqual(workspace);
});

it("says how to get a deadline where there is none to extend", async () => {
  const path = `PUT ${workspacePath}/extend`;
  const body = { message: "Workspace shutdown is manual." };
  answers = new Map(Object.entries({ ...foundWorkspace, [path]: { status: 409, body } }));
  const said = await run(`schedule extend demo 2h --url ${url} --token t`);
  expect(said.code).toBe(1);
  expect(said.terminal.errText()).toContain("ada/demo does not stop by itself");
  expect(said.terminal.errText()).toContain("slipway schedule stop ada/demo 8h");
});

it("cancels a running build, and refuses a finished one", async () => {
  const { latest_build: build } = workspace;
  answers = new Map(Object.entries(foundWorkspace));
  const done = await run(`cancel demo --url ${url} --token t`);
  expect(done.terminal.errText()).toContain("build 3 (start) of ada/demo has already finished");
  expect(done.code).toBe(1);
  const job = { ...build.job, status: "running" as const };
  const busy = { ...workspace, latest_build: { ...build, job } };
  answers = new Map(
    Object.entries({
      "GET /api/v2/users/me/workspace/demo": { status: 200, body: busy },
      [`PATCH /api/v2/workspacebuilds/${build.id}/cancel`]: { status: 200, body: { message: "" } },
    }),
  );
  const canceled = await run(`cancel demo --url ${url} --token t`);
  expect(canceled.terminal.errText()).toContain("build 3 (start) of ada/demo is being canceled");
  expect(canceled.code).toBe(0);
});

const pool = {
  organization_id: workspace.organization_id,
  organization_name: "default",
  template_id: workspace.template_id,
  template_name: "small",
  template_version_id: workspace.template_active_version_id,
  template_version_name: "v1",
  preset_id: workspace.id,
  preset_name: "quick",
  active: true,
  desired: 3,
  running: 2,
  eligible: 1,
  starting: 1,
  claimed: 7,
  status: "healthy",
  backoff_until: null,
} satisfies PrebuildPool;

it.each([
  [{}, "healthy"],
  [{ status: "hard_limited" }, "hard limited"],
  [{ status: "paused", active: false }, "not active"],
] as const)("lists the pool %j as %s", async (changes, status) => {
  const body = [{ ...pool, ...changes }];
  answers = new Map<string, Answer>([
    ["GET /api/v2/prebuilds/pools", { status: 200, body }],
    ["GET /api/v2/organizations/la", notVisible],
  ]);
  const table = await run(`prebuilds list --url ${url} --token t`);
  const [headings, row] = table.terminal.outText().split("\n");
  expect(headings).toBe(
    `TEMPLATE  PRESET  VERSION  ${"STATUS".padEnd(status.length)}  DESIRED  RUNNING  ELIGIBLE  STARTING  CLAIMED`,
  );
  expect(row?.split(/ {2,}/)).toEqual(["small", "quick", "v1", status, "3", "2", "1", "1", "7"]);
  const printed = await run(`prebuilds list -o json --url ${url} --token t`);
  expect(JSON.parse(printed.terminal.outText())).toEqual(body);
});

it("prints for how long a pool is backed off", async () => {
  const until = new Date(Date.now() + 150_000).toISOString();
  const body = [{ ...pool, status: "backed_off", backoff_until: until }];
  answers = new Map<string, Answer>([
    ["GET /api/v2/prebuilds/pools", { status: 200, body }],
    ["GET /api/v2/organizations/la", notVisible],
  ]);
  const { terminal } = await run(`prebuilds list -c status --url ${url} --token t`);
  expect(terminal.outText()).toMatch(/^STATUS\nbacked off for 1[45]\d s\n$/);
});

it.each([
  ["prebuilds pause", 200, "prebuilds are paused"],
  ["prebuilds pause", 304, "prebuilds are already paused"],
  ["prebuilds resume", 200, "prebuilds are resumed"],
  ["prebuilds resume", 304, "prebuilds are not paused"],
  ["notifications pause", 200, "notifications are paused"],
  ["notifications pause", 304, "notifications are already paused"],
  ["notifications resume", 200, "notifications are resumed"],
  ["notifications resume", 304, "notifications are not paused"],
])("%s: of %d says %s", async (words, status, text) => {
  const isPaused = words.endsWith("pause");
  const body =
    status === 304 ? undefined : { reconciliation_paused: isPaused, notifier_paused: isPaused };
  answers = new Map([[`PUT /api/v2/${words.split(" ")[0]}/settings`, { status, body }]]);
  const { code, terminal } = await run(`${words} --url ${url} --token t`);
  expect(terminal.errText()).toBe(`${text}\n`);
  expect(code).toBe(0);
});

it("exits with 3 for a user without the right to pause", async () => {
  const body = { message: "Forbidden.", detail: "Only owners pause." };
  answers = new Map([["PUT /api/v2/prebuilds/settings", { status: 403, body }]]);
  const { code, terminal } = await run(`prebuilds pause --url ${url} --token t`);
  expect(terminal.errText()).toContain("Only owners pause.");
  expect(code).toBe(3);
});
