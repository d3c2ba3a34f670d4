import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";

import { packArchive } from "./support/download-server.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { openTextSocket, type TextSocket } from "./support/text-socket.ts";

/*
 * The calls of two editors in the order in which they make them, and what each checks of the answers
 * (docs/protocol/clients.md §3.1, docs/protocol/clients.md §3.2): requests by hand, without our contract.
 */

const template = `
driver: process
parameters:
  size: { type: string, default: small, mutable: true }
agents:
  main:
    os: linux
    arch: amd64
    scripts: { greet: { run_on: [start], run: "echo hello" } }
    metadata: { load: { display_name: Load, interval: 1s, timeout: 1s, run: "echo 1" } }
`;

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON; undefined for another type. */
  readonly body: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

const opened = new AsyncDisposableStack();
let server: OpenServer;
/** The headers of an editor that has signed in. */
let headers: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-editors-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const archive = await packArchive();
  for (const name of ["amd64", "arm64"]) {
    await writeFile(join(directory, `slipway-linux-${name}.tar.gz`), archive);
  }
  server = opened.use(
    await openServer(inject("postgresUrl"), { SLIPWAY_DOWNLOADS_DIR: directory }),
  );
  await pushTemplate(server.admin, "box", template);
});
afterAll(() => opened.disposeAsync());

async function ask(path: string, init: RequestInit = {}): Promise<Answered> {
  const response = await fetch(`${server.url}${path}`, { headers, redirect: "error", ...init });
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: isJson === true ? JSON.parse(text) : undefined,
  };
}

/** Makes a call of the API that must succeed, and returns the object of its answer. */
async function call(path: string, init: RequestInit = {}): Promise<Fields> {
  const { status, body } = await ask(`/api/v2${path}`, init);
  expect(status, path).toBeLessThan(300);
  return fieldsOf(body);
}

function post(body: object): RequestInit {
  const json = { ...headers, "Content-Type": "application/json" };
  return { method: "POST", headers: json, body: JSON.stringify(body) };
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== "object" || value === null) throw new Error(`no object: ${String(value)}`);
  return { ...value };
}

function listOf(value: unknown): readonly Fields[] {
  if (!Array.isArray(value)) throw new Error(`not an array: ${JSON.stringify(value)}`);
  return value.map(fieldsOf);
}

function textOf(value: unknown): string {
  if (typeof value !== "string" || value === "") throw new Error(`no text: ${String(value)}`);
  return value;
}

function open(path: string): TextSocket {
  const url = `${server.url.replace("http", "ws")}/api/v2${path}`;
  const socket = openTextSocket(url, headers);
  onTestFinished(() => socket.raw.terminate());
  return socket;
}

/** The agents of a workspace; the editors read all three levels as arrays. */
function agentsOf(workspace: Fields): readonly Fields[] {
  const { resources } = fieldsOf(workspace["latest_build"]);
  return listOf(resources).flatMap(({ agents }) => listOf(agents));
}

/** Resolves to the workspace once its newest build has a status, as an editor that polls sees it. */
async function whenStatus(id: string, status: string): Promise<Fields> {
  await expect
    .poll(async () => fieldsOf((await call(`/workspaces/${id}`))["latest_build"])["status"], {
      timeout: 30_000,
    })
    .toBe(status);
  return call(`/workspaces/${id}`);
}

/** Expects the command of an editor's platform, kept by its SHA-1 sum. */
async function expectCommand(): Promise<void> {
  const path = "//bin/coder-linux-amd64";
  const plain = { ...headers, "Accept-Encoding": "identity" };
  const response = await fetch(`${server.url}${path}`, { headers: plain });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^application\/octet-stream/);
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(response.headers.get("content-length")).toBe(String(bytes.length));
  const sum = createHash("sha1").update(bytes).digest("hex");
  expect(response.headers.get("etag")).toBe(`"${sum}"`);
  const kept = await ask(path, { headers: { ...plain, "If-None-Match": `"${sum}"` } });
  expect(kept.status).toBe(304);
  // Another platform has none, and says so in a way that the editor shows.
  expect((await ask("//bin/coder-windows-amd64.exe")).status).toBe(404);
}

const semver = /^v?\d+\.\d+\.\d+(?:[-+].*)?$/;

describe("VS Code", () => {
  let me: Fields = {};
  let workspaceId = "";

  it("signs in with a token, which it pastes from a page", async () => {
    const page = await ask("/cli-auth", { headers: {} });
    expect([page.status, page.headers.get("content-type")]).toEqual([
      200,
      expect.stringMatching(/^text\/html/),
    ]);
    const wrong = { "Coder-Session-Token": "0123456789-0123456789012345678901" };
    const refused = await ask("/api/v2/users/me", { headers: wrong });
    expect(refused.status).toBe(401);
    expect(textOf(fieldsOf(refused.body)["message"])).not.toBe("");
    const key = await call("/users/me/keys", {
      method: "POST",
      headers: { ...server.admin.headers },
    });
    headers = { "Coder-Session-Token": textOf(key["key"]) };
    me = await call("/users/me");
    expect(me).toMatchObject({ username: "admin", roles: expect.any(Array) });
  });

  it("starts with the version, which decides what its command can do", async () => {
    const { version, external_url: url } = await call("/buildinfo");
    expect(version).toMatch(semver);
    const [major = 0, minor = 0] = textOf(version).replace("v", "").split(".").map(Number);
    expect(major * 1000 + minor).toBeGreaterThanOrEqual(2031);
    expect(typeof url).toBe("string");
    expect(await call("/appearance")).toHaveProperty("application_name");
  });

  it("gets its command once", expectCommand);

  it("lists workspaces: its own, all, and those shared with its user", async () => {
    const [box] = listOf((await ask("/api/v2/templates")).body);
    const made = await call(
      `/users/me/workspaces`,
      post({ name: "dev", template_id: box?.["id"] }),
    );
    workspaceId = textOf(made["id"]);
    for (const q of ["owner:me", ""]) {
      const { workspaces } = await call(`/workspaces?q=${encodeURIComponent(q)}`);
      expect(listOf(workspaces)).toMatchObject([{ id: workspaceId, name: "dev" }]);
    }
    // A refusal hides that view, and anything else than 200 and 400 is an error.
    const shared = await ask(`/api/v2/workspaces?q=shared_with_user:${textOf(me["id"])}`);
    expect([200, 400]).toContain(shared.status);
  });

  it("waits with the log of the build, and then with that of the agent", async () => {
    const workspace = await call("/users/admin/workspace/dev");
    expect((await ask("/api/v2/users/admin/workspace/none")).status).toBe(404);
    await call("/deployment/ssh");
    const watch = open(`/workspaces/${workspaceId}/watch-ws`);
    const build = fieldsOf(workspace["latest_build"]);
    const log = open(`/workspacebuilds/${textOf(build["id"])}/logs?follow=true`);
    expect(await log.ended).toMatchObject({ code: 1000 });
    const lines = log.messages.map((text) => fieldsOf(JSON.parse(text)));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect(line).toEqual({
        id: expect.any(Number),
        created_at: expect.any(String),
        log_source: expect.stringMatching(/^provisioner/),
        log_level: expect.any(String),
        stage: expect.any(String),
        output: expect.any(String),
      });
    }
    const first = Number(lines[0]?.["id"]);
    const rest = open(`/workspacebuilds/${textOf(build["id"])}/logs?follow=true&after=${first}`);
    await rest.ended;
    expect(rest.messages).toHaveLength(lines.length - 1);

    const started = await whenStatus(workspaceId, "running");
    const [agent = {}] = agentsOf(started);
    const follow = open(`/workspaceagents/${textOf(agent["id"])}/logs?follow=true`);
    await expect.poll(() => follow.messages.join("")).toContain("hello");
    const [logged] = follow.messages.flatMap((text) => listOf(JSON.parse(text)));
    expect(logged).toMatchObject({ id: expect.any(Number), output: expect.any(String) });

    // Each event of the watch is a whole workspace, whose lists are arrays.
    await expect
      .poll(() => {
        const events = watch.messages.map((text) => fieldsOf(JSON.parse(text)));
        const data = events.filter(({ type }) => type === "data").map((one) => one["data"]);
        const states = data.flatMap((one) => agentsOf(fieldsOf(one)));
        return states.map((one) => `${String(one["status"])} ${String(one["lifecycle_state"])}`);
      })
      .toContain("connected ready");
    for (const one of agentsOf(started)) expect(listOf(one["scripts"])).toHaveLength(1);
    await call(`/templates/${textOf(started["template_id"])}`);
    await call(`/templateversions/${textOf(build["template_version_id"])}`);
  });

  it("shows the live values of an agent, all of whose fields it checks", async () => {
    const [agent = {}] = agentsOf(await call(`/workspaces/${workspaceId}`));
    const socket = open(`/workspaceagents/${textOf(agent["id"])}/watch-metadata-ws`);
    await socket.firstMessage;
    const [event = ""] = socket.messages;
    const { type, data } = fieldsOf(JSON.parse(event));
    expect(type).toBe("data");
    expect(data).toEqual([
      {
        result: {
          collected_at: expect.any(String),
          age: expect.any(Number),
          value: expect.any(String),
          error: expect.any(String),
        },
        description: {
          display_name: "Load",
          key: "load",
          script: expect.any(String),
          interval: expect.any(Number),
          timeout: expect.any(Number),
        },
      },
    ]);
  });

  it("asks for the values of an update, and starts with them", async () => {
    const { latest_build: latest } = await call(`/workspaces/${workspaceId}`);
    const { id, template_version_id: version } = fieldsOf(latest);
    const [parameter] = listOf(
      (await ask(`/api/v2/templateversions/${textOf(version)}/rich-parameters`)).body,
    );
    expect(parameter).toMatchObject({ name: "size", required: false, options: [] });
    const values = (await ask(`/api/v2/workspacebuilds/${textOf(id)}/parameters`)).body;
    expect(values).toEqual([{ name: "size", value: "small" }]);
    await call(
      `/workspaces/${workspaceId}/builds`,
      post({ transition: "stop", reason: "vscode_connection" }),
    );
    await whenStatus(workspaceId, "stopped");
    const build = await call(
      `/workspaces/${workspaceId}/builds`,
      post({ transition: "start", reason: "vscode_connection", template_version_id: version }),
    );
    expect(build).toMatchObject({ reason: "vscode_connection", transition: "start" });
    await whenStatus(workspaceId, "running");
  });

  it("watches the inbox, which is silent until there is something", async () => {
    const templates = "f047f6a3-5713-40f7-85aa-0394cce9fa3a,a9d027b4-ac49-4fb1-9f6d-45af15f64e7a";
    const query = `format=plaintext&templates=${templates}&targets=${workspaceId}`;
    const socket = open(`/notifications/inbox/watch?${query}`);
    const ready = Promise.withResolvers<void>();
    socket.raw.once("open", () => socket.raw.ping());
    socket.raw.once("pong", ready.resolve);
    await ready.promise;
    expect(socket.messages).toEqual([]);
  });

  it("reads the reason of a socket that cannot open from its status", async () => {
    const [missing, gone] = [
      open(`/workspaces/00000000-0000-4000-8000-000000000000/watch-ws`),
      open(`/workspaceagents/00000000-0000-4000-8000-000000000000/watch-metadata-ws`),
    ];
    // It looks for this number in the text of the error.
    await Promise.all([missing, gone].map(({ ended }) => expect(ended).rejects.toThrow("404")));
  });
});

describe("JetBrains Toolbox", () => {
  let workspaceId = "";

  it("signs in: user, version and appearance, none of which may fail", async () => {
    const page = await ask("/login?redirect=%2Fcli-auth", { headers: {} });
    expect(page.status).toBe(200);
    headers = { ...headers, "User-Agent": "Coder Toolbox/0.8.0 (linux; amd64)" };
    const me = await call("/users/me");
    expect([textOf(me["id"]), textOf(me["username"])]).toHaveLength(2);
    const { version, external_url: url } = await call("/buildinfo");
    expect([textOf(version), textOf(url)][0]).toMatch(semver);
    const { status, body } = await ask("/api/v2/appearance");
    expect(status).toBe(200);
    expect(typeof fieldsOf(body)["application_name"]).toBe("string");
  });

  it("gets its command once", expectCommand);

  it("polls workspaces, whose fields it decodes strictly", async () => {
    const { workspaces } = await call("/workspaces?q=owner%3Ame");
    const [listed = {}] = listOf(workspaces);
    workspaceId = textOf(listed["id"]);
    for (const workspace of [listed, await call(`/workspaces/${workspaceId}`)]) {
      expect(workspace).toMatchObject({
        id: expect.any(String),
        template_id: expect.any(String),
        template_name: "box",
        template_display_name: expect.any(String),
        template_icon: expect.any(String),
        outdated: false,
        name: "dev",
        owner_name: "admin",
        latest_build: {
          id: expect.any(String),
          build_number: expect.any(Number),
          template_version_id: expect.any(String),
          status: "running",
        },
      });
      const agents = agentsOf(workspace);
      expect(agents).toHaveLength(1);
      for (const agent of agents) {
        expect(textOf(agent["id"])).not.toBe("");
        expect(agent["name"]).toMatch(/^[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*$/);
        expect(["connecting", "connected", "disconnected", "timeout"]).toContain(agent["status"]);
        expect([
          "created",
          "starting",
          "start_timeout",
          "start_error",
          "ready",
          "shutting_down",
          "shutdown_timeout",
          "shutdown_error",
          "off",
        ]).toContain(agent["lifecycle_state"]);
      }
    }
  });

  it("shows a wrong filter as the server explains it", async () => {
    const { status, body } = await ask("/api/v2/workspaces?q=bogus%3A1");
    expect(status).toBe(400);
    const { message, validations } = fieldsOf(body);
    expect(textOf(message)).not.toBe("");
    expect(listOf(validations)).toMatchObject([
      { field: expect.any(String), detail: expect.any(String) },
    ]);
  });

  it("reads templates", async () => {
    const [box = {}] = listOf((await ask("/api/v2/templates")).body);
    for (const one of [box, await call(`/templates/${textOf(box["id"])}`)]) {
      expect(one).toMatchObject({
        id: expect.any(String),
        active_version_id: expect.any(String),
        name: "box",
        display_name: expect.any(String),
        deprecated: false,
      });
    }
  });

  it.each(["stop", "start"])("asks for a %s, and polls until it is done", async (transition) => {
    const build = await call(
      `/workspaces/${workspaceId}/builds`,
      post({ transition, reason: "jetbrains_connection" }),
    );
    expect(build).toMatchObject({ transition, reason: "jetbrains_connection" });
    await whenStatus(workspaceId, transition === "stop" ? "stopped" : "running");
  });

  it("gets a message with each refusal", async () => {
    const nobody = { ...headers, "Coder-Session-Token": "" };
    for (const [path, expected] of [
      ["/users/me", 401],
      ["/workspaces/00000000-0000-4000-8000-000000000000", 401],
    ] as const) {
      const { status, body } = await ask(`/api/v2${path}`, { headers: nobody });
      expect(status).toBe(expected);
      expect(textOf(fieldsOf(body)["message"])).not.toBe("");
    }
    const gone = await ask("/api/v2/workspaces/00000000-0000-4000-8000-000000000000");
    expect(gone.status).toBe(404);
    expect(textOf(fieldsOf(gone.body)["message"])).not.toBe("");
  });
});
