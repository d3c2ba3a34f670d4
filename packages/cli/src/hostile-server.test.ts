import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import { afterAll, beforeAll, expect, it } from "vitest";

import { memoryTerminal } from "../tests/support/memory-terminal.ts";
import { noOpener } from "../tests/support/recorded-opener.ts";
import { sampleAgent, sampleBuild, sampleWorkspace } from "../tests/support/sample-workspace.ts";
import { runCommandLine } from "./command/run-command-line.ts";
import { commandTable } from "./gen/command-table.ts";
import { colorsFor } from "./terminal/colors.ts";

/**
 * Sequences for clipboard, title, screen, cursor, reports, 8-bit controls, hiding or reordering; and colors, which
 * may pass.
 */
const hostile =
  "x\u001b]52;c;ZXZpbA==\u0007\u001b]0;t\u001b\\\u001b[2J\u001b[1;1H\u001b[6n\u009b2J\u001b[31mred\r\b\u007f\u0000\u202e\u2066";

/** The server's responses, with every text hostile except those that the command compares or parses. */
function poisoned(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => poisoned(item, key));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, poisoned(item, name)]),
    );
  }
  const isSafe = /(^|_)(id|at|status|state|transition|type|level|ID)$/.test(key);
  return typeof value === "string" && !isSafe ? `${value}${hostile}` : value;
}

const time = "2026-01-01T00:00:00Z";
const id = sampleWorkspace.id;
const agent = {
  ...sampleAgent,
  apps: [
    { id, slug: "docs", display_name: "Docs", health: "disabled", url: "http://x", hidden: false },
  ],
  scripts: [
    {
      id,
      display_name: "Prepare",
      run_on_start: true,
      run_on_stop: false,
      cron: "1 * * * *",
      status: "ok",
    },
  ],
  health: { healthy: false, reason: "no" },
};
const build = {
  ...sampleBuild,
  job: { ...sampleBuild.job, error: "it broke" },
  resources: [{ id, name: "r", type: "t", agents: [agent] }],
};
const workspace = { ...sampleWorkspace, latest_build: build };
const user = {
  id,
  username: "ada",
  name: "Ada",
  email: "a@b",
  status: "active",
  created_at: time,
  last_seen_at: time,
  roles: [{ name: "owner", display_name: "Owner" }],
  organization_ids: [id],
};
const template = {
  id,
  name: "small",
  display_name: "Small",
  description: "d",
  active_version_id: id,
  organization_name: "default",
  created_by_name: "ada",
  created_at: time,
  updated_at: time,
  active_user_count: 1,
};
const logs = [
  {
    id: 1,
    created_at: time,
    output: "line",
    level: "warn",
    log_level: "warn",
    source_id: id,
    stage: "Go",
  },
];

const answers: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["/workspaces", { workspaces: [workspace], count: 1 }],
  ["/users/me/workspace/demo", workspace],
  [`/workspacebuilds/${id}/logs`, logs],
  [`/workspacebuilds/${id}/parameters`, [{ name: "size", value: "large" }]],
  [`/workspaceagents/${id}/logs`, logs],
  ["/templates", [template]],
  ["/organizations/default/templates/small", template],
  [
    `/templates/${id}/versions`,
    [{ id, name: "v1", message: "m", job: build.job, created_at: time, created_by: user }],
  ],
  [
    `/templateversions/${id}/presets`,
    [{ ID: id, Name: "quick", Parameters: [{ Name: "a", Value: "b" }], Default: true }],
  ],
  ["/users", { users: [user], count: 1 }],
  ["/users/me", user],
  ["/users/ada", user],
  [
    "/users/me/keys/tokens",
    [
      {
        id,
        token_name: "ci",
        username: "ada",
        user_id: id,
        scopes: ["all"],
        allow_list: ["*"],
        last_used: time,
        expires_at: time,
        created_at: time,
      },
    ],
  ],
  [
    "/organizations",
    [
      {
        id,
        name: "default",
        display_name: "Default",
        description: "d",
        created_at: time,
        updated_at: time,
        is_default: true,
      },
    ],
  ],
  [
    "/organizations/default/provisionerjobs",
    [{ ...build.job, type: "workspace_build", organization_name: "o" }],
  ],
  [
    "/regions",
    { regions: [{ id, name: "primary", path_app_url: "https://x", wildcard_hostname: "*.x" }] },
  ],
  [
    `/workspaces/${id}/port-share`,
    { shares: [{ agent_name: "main", port: 8080, protocol: "http", share_level: "public" }] },
  ],
  [
    "/notifications/inbox",
    {
      notifications: [
        { id, title: "t", content: "c", targets: [id], read_at: null, created_at: time },
      ],
      unread_count: 1,
    },
  ],
  [
    "/users/me/gitsshkey",
    { user_id: id, created_at: time, updated_at: time, public_key: "ssh-ed25519 AAAA" },
  ],
]);

/** The names, by path, that the command compares with its arguments: it rejects a response with another name. */
const typedNames: ReadonlyMap<string, object> = new Map([
  ["/users/me/workspace/demo", { name: workspace.name }],
  ["/organizations/default/templates/small", { name: template.name }],
]);

let server: Server;
let url = "";
let directory = "";
const asked = new Set<string>();
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-hostile-"));
  server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0]?.replace("/api/v2", "") ?? "";
    const found = request.method === "GET" ? answers.get(path) : undefined;
    if (found !== undefined) asked.add(path);
    const body = found ?? {
      message: "Not here.",
      detail: "Nor there.",
      validations: [{ field: "f", detail: "d" }],
    };
    response.writeHead(found === undefined ? 400 : 200, { "Content-Type": "application/json" });
    const answer = poisoned(body);
    const names = typedNames.get(path);
    response.end(JSON.stringify(names === undefined ? answer : Object.assign({}, answer, names)));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});

async function written(line: string, isColored: boolean): Promise<string> {
  const terminal = memoryTerminal(undefined, { colors: colorsFor(isColored, {}) });
  await runCommandLine(commandTable, line.split(" "), {
    terminal,
    environment: { CODER_CONFIG_DIR: directory, CODER_URL: url, CODER_SESSION_TOKEN: "t" },
    clock: systemClock,
    signal: new AbortController().signal,
    opener: noOpener,
    interruption: {
      interrupted: Promise.withResolvers<"SIGINT">().promise,
      forced: new AbortController().signal,
    },
  });
  return terminal.outText() + terminal.errText();
}

const harmless = /^(?:[^\p{Cc}\u2028-\u202e\u2066-\u2069]|[\n\t])*$/u;
const lines = `
  list --all
  show demo
  logs demo
  whoami
  users list
  users show ada
  tokens list
  templates list
  templates versions list small
  templates presets list small
  publickey
  inbox --column title,content
  organizations list
  organizations show
  provisioner jobs list
  schedule show
  version
  show nothing
  delete demo -y
  start demo --update
  tokens create
  prebuilds list
  port-shares list demo
  port-shares remove demo 8080
  open app demo
  open app demo docs
  open vscode demo
`
  .trim()
  .split(/\n */);

it.each(lines)("%s: prints nothing that steers a terminal", async (line) => {
  expect(await written(line, false)).toMatch(harmless);
  const colored = await written(line, true);
  // eslint-disable-next-line no-control-regex -- the test searches for control characters
  expect(colored.replaceAll(/\u001b\[[\d:;]*m/g, "")).toMatch(harmless);
});

it.each(["list --all", "show demo", "logs demo", "users list", "templates list", "tokens list"])(
  "%s: prints JSON that holds what was sent, and nothing that steers a terminal",
  async (line) => {
    const json = await written(`${line} -o json`, true);
    expect(json).toMatch(harmless);
    for (const document of line === "logs demo" ? json.trim().split("\n") : [json]) {
      expect(JSON.stringify(JSON.parse(document))).toContain(JSON.stringify(hostile).slice(1, -1));
    }
  },
);

it("requests every hostile answer", () => {
  expect([...answers.keys()].filter((path) => !asked.has(path))).toEqual([]);
});
