import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import {
  makeWorkspace,
  openTestDatabase,
  pushTemplate,
  logInAsAdmin,
  startServerProcess,
} from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";

/* `slipway mcp`, as the program of an agent on this machine. */

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const template = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";

const opened = new AsyncDisposableStack();
let environment: Record<string, string> = {};

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-mcp-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const server = opened.use(
    await startServerProcess({
      dataDir,
      port: 0,
      environment: { SLIPWAY_POSTGRES_URL: database.url },
    }),
  );
  const admin = await logInAsAdmin(server.url);
  const templateId = await pushTemplate(admin, "box", template);
  await makeWorkspace(admin, "dev", templateId, ({ status }) => status === "connected");
  environment = {
    PATH: process.env["PATH"] ?? "",
    SLIPWAY_CONFIG_DIR: join(dataDir, "config"),
    SLIPWAY_URL: server.url,
    SLIPWAY_SESSION_TOKEN: admin.headers["Coder-Session-Token"] ?? "",
  };
});

afterAll(() => opened.disposeAsync());

async function openHttp(): Promise<Client> {
  const client = new Client({ name: "test", version: "1" });
  const requestInit = {
    headers: { Authorization: `Bearer ${environment["SLIPWAY_SESSION_TOKEN"]}` },
  };
  const endpoint = new URL("/api/v2/mcp", environment["SLIPWAY_URL"]);
  await client.connect(new StreamableHTTPClientTransport(endpoint, { requestInit }));
  onTestFinished(() => client.close());
  return client;
}

async function openCommand(
  args: readonly string[] = [],
  more: Record<string, string> = {},
): Promise<Client> {
  const client = new Client(
    { name: "test", version: "1" },
    { versionNegotiation: { mode: "auto" } },
  );
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: ["--conditions=@slipway/source", main, "mcp", ...args],
    env: { ...environment, ...more },
    stderr: "inherit",
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return client;
}

describe.each(["stdio", "http"] as const)("over %s", (transport) => {
  const open = () => (transport === "stdio" ? openCommand() : openHttp());

  it("writes, reads, edits, lists and searches files, and says what is wrong", async () => {
    const client = await open();
    const call = async (name: string, input: object) =>
      client.callTool({ name, arguments: { workspace: "dev", ...input } });
    const path = `~/${transport}/notes.txt`;
    const content = "first line\nsecond \u00e9\u{1f600}\n";
    const written = await call("write_file", { path, content, has_parents: true, mode: "640" });
    expect(written.structuredContent).toMatchObject({ type: "file", mode: "640" });
    const read = await call("read_file", { path });
    expect(read.structuredContent).toMatchObject({ content, is_truncated: false, is_exact: true });
    const { etag } = Object(read.structuredContent);
    const edits = [{ search: "second", replace: "2nd" }];
    const edited = await call("edit_file", { path, edits, etag });
    expect(Object(edited.structuredContent).diff).toContain("+2nd");
    expect((await call("edit_file", { path, edits, etag })).isError).toBe(true);
    const listed = await call("list_files", { path: `~/${transport}` });
    expect(listed.structuredContent).toMatchObject({
      entries: [{ type: "file", mode: "640" }],
      is_truncated: false,
    });
    const found = await call("search_files", { path: `~/${transport}`, pattern: "2n." });
    expect(found.structuredContent).toMatchObject({ matches: [{ line: 2 }], is_truncated: false });
    for (const [name, input] of [
      ["read_file", { path: "~/missing" }],
      ["read_file", { path: "/proc/self/exe" }],
      ["read_file", { path: "/tmp" }],
      ["write_file", { path: "/proc/x/y", content: "" }],
      ["search_files", { path: "~", pattern: "(" }],
    ] as const) {
      const refused = await call(name, input);
      expect(refused.isError, `${name} ${input.path}`).toBe(true);
    }
  });

  it("runs a command, follows it, writes to it and ends it", async () => {
    const client = await open();
    const call = async (name: string, input: object) => {
      const result = await client.callTool({ name, arguments: { workspace: "dev", ...input } });
      expect(result.isError, JSON.stringify(result.content)).toBeUndefined();
      return Object(result.structuredContent);
    };
    const command = "echo hello; echo oops >&2; printf '\\033[2Jclean\\n'; exit 3";
    expect(await call("run_command", { command })).toMatchObject({
      status: "exited",
      exit_code: 3,
      stdout: "hello\nclean\n",
      stderr: "oops\n",
      missed_bytes: 0,
      is_complete: true,
    });
    const input = { command: "while read line; do echo got $line; done", has_stdin: true };
    const started = await call("run_command", { ...input, wait_seconds: 0 });
    expect(started).toMatchObject({ status: "running", is_complete: false });
    const { run } = started;
    await call("write_stdin", { run, text: "one\n" });
    const after = Number(started.next);
    const first = await call("read_output", { run, after, wait_seconds: 1 });
    expect(first).toMatchObject({ stdout: "got one\n", is_complete: false });
    await call("write_stdin", { run, text: "two\n", is_last: true });
    expect(await call("read_output", { run, after: first.next })).toMatchObject({
      stdout: "got two\n",
      exit_code: 0,
      is_complete: true,
    });
    const endless = await call("run_command", { command: "exec sleep 600", wait_seconds: 0 });
    await call("kill_process", { run: endless.run, signal: "SIGTERM" });
    expect(await call("read_output", { run: endless.run })).toMatchObject({ signal: "SIGTERM" });
  });

  it("returns long output in parts that are whole, and says what is wrong with a run", async () => {
    const client = await open();
    const call = (name: string, input: object) =>
      client.callTool({ name, arguments: { workspace: "dev", ...input } });
    const command = "yes \u00e9\u00e9\u00e9 | head -n 400";
    const first = await call("run_command", { command, limit: 1_001 });
    let { stdout: read, next, is_complete: isComplete } = Object(first.structuredContent);
    const { run } = Object(first.structuredContent);
    while (isComplete === false) {
      const part = await call("read_output", { run, after: next, limit: 1_001 });
      const more = Object(part.structuredContent);
      read += more.stdout;
      ({ next, is_complete: isComplete } = more);
    }
    expect(read).toBe("\u00e9\u00e9\u00e9\n".repeat(400));
    for (const [name, input] of [
      ["read_output", { run: "not-a-run" }],
      ["read_output", { run: "00000000-0000-4000-8000-000000000000" }],
      ["write_stdin", { run, text: "x" }],
      ["kill_process", { run: "00000000-0000-4000-8000-000000000000" }],
      ["kill_process", { run, signal: "SIGNOTHING" }],
      ["run_command", { command: "true", workdir: "/does/not/exist" }],
    ] as const) {
      const refused = await call(name, input);
      expect(refused.isError, `${name} ${JSON.stringify(input)}`).toBe(true);
    }
  });

  it("reads a long file in parts that end with whole characters, and cleans what it says", async () => {
    const client = await open();
    const call = async (name: string, input: object) =>
      client.callTool({ name, arguments: { workspace: "dev", ...input } });
    const path = `~/${transport}-long.txt`;
    const long = "\u00e9".repeat(1_000);
    await call("write_file", { path, content: long });
    let read = "";
    for (let offset = 0; offset < 2_000;) {
      const part = await call("read_file", { path, offset, limit: 333 });
      const { content, next_offset } = Object(part.structuredContent);
      read += String(content);
      offset = Number(next_offset);
    }
    expect(read).toBe(long);
    await call("write_file", { path, content: "\u001b[2Jhello\u001b]52;c;eA==\u0007" });
    const cleaned = await call("read_file", { path });
    expect(cleaned.structuredContent).toMatchObject({ content: "hello", is_exact: false });
  });
});

it("has the tools of the server, with the rights of the session", async () => {
  const client = await openCommand(["--stock-names"]);
  const { tools } = await client.listTools();
  const names = tools.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["list_workspaces", "coder_list_workspaces"]));
  const listed = await client.callTool({ name: "list_workspaces", arguments: {} });
  expect(listed.structuredContent).toMatchObject({ workspaces: [{ name: "dev", owner: "admin" }] });
  const missing = await client.callTool({
    name: "stop_workspace",
    arguments: { workspace: "missing" },
  });
  expect(missing.isError).toBe(true);
});

it("forwards a port of the workspace to this machine, and says what is wrong", async () => {
  // The workspaces of the driver share this machine.
  const server = createServer((socket) => socket.on("error", () => undefined).end("inside"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const port = Number(Object(server.address()).port);
  const client = await openCommand();
  const call = () =>
    client.callTool({ name: "forward_port", arguments: { workspace: "dev", port } });
  const [first, second] = await Promise.all([call(), call()]);
  expect(first.structuredContent).toEqual(second.structuredContent);
  const url = new URL(String(Object(first.structuredContent).url));
  expect(Number(url.port)).not.toBe(port);
  expect(await text(connect(Number(url.port), url.hostname))).toBe("inside");
});

it("says in words that the server is gone", async () => {
  const client = await openCommand([], { SLIPWAY_URL: "http://127.0.0.1:9" });
  const listed = await client.callTool({ name: "list_workspaces", arguments: {} });
  expect(listed.isError).toBe(true);
  expect(JSON.stringify(listed.content)).toContain("cannot reach");
});

it("answers piped calls although its input has ended", async () => {
  const messages = [
    {
      id: 1,
      method: "initialize",
      params: {
        protocolVersion: "2025-06-18",
        capabilities: {},
        clientInfo: { name: "script", version: "1" },
      },
    },
    { method: "notifications/initialized" },
    {
      id: 2,
      method: "tools/call",
      params: {
        name: "run_command",
        arguments: { workspace: "dev", command: "sleep 0.3; echo done" },
      },
    },
  ];
  const command = spawn(process.execPath, ["--conditions=@slipway/source", main, "mcp"], {
    env: environment,
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void command.kill());
  const exited = once(command, "exit");
  command.stdin.end(
    messages.map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`).join(""),
  );
  const lines = (await text(command.stdout)).trim().split("\n");
  const answers = lines.map((line) => Object(JSON.parse(line)));
  const { result } = answers.find(({ id }) => id === 2);
  expect(result.structuredContent).toMatchObject({ stdout: "done\n", exit_code: 0 });
  expect(await exited).toEqual([0, null]);
});
