import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";

import { logInAsAdmin, openTestDatabase, pushTemplate, startServerProcess } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { ApiError, Slipway, type WaitProgress, WorkspaceError } from "../../src/index.ts";

/* Workspaces of our driver for processes, as a program uses them. */

const agents = "agents: { main: { os: linux, arch: amd64 } }";
const template = `driver: process
parameters:
  greeting: { type: string, default: hello }
presets:
  polite: { parameters: { greeting: good day } }
${agents}
`;

const opened = new AsyncDisposableStack();
let slipway: Slipway;
let url = "";
let token = "";

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-client-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const environment = { SLIPWAY_POSTGRES_URL: database.url };
  const server = opened.use(await startServerProcess({ dataDir, port: 0, environment }));
  const admin = await logInAsAdmin(server.url);
  await pushTemplate(admin, "node", template);
  await pushTemplate(admin, "demo", template);
  await pushTemplate(admin, "pool", template.replace("polite", "ready"));
  await pushTemplate(
    admin,
    "broken",
    `driver: process\nparameters: { n: { type: number } }\n${agents}\n`,
  );
  ({ url } = server);
  token = admin.headers["Coder-Session-Token"] ?? "";
  slipway = new Slipway({ url, token });
});

afterAll(() => opened.disposeAsync());

const guide = await readFile(new URL("../../../../docs/sdk.md", import.meta.url), "utf8");
const examples = [...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);

it.each(examples.map((code, index) => [index + 1, code] as const))(
  "runs example %i of docs/sdk.md",
  async (_, code) => {
    const flags = [
      "--conditions=@slipway/source",
      "--input-type=module-typescript",
      "--eval",
      code,
    ];
    const env = { ...process.env, SLIPWAY_URL: url, SLIPWAY_SESSION_TOKEN: token };
    const { stderr } = await promisify(execFile)(process.execPath, flags, { env });
    expect(stderr).toBe("");
    const left = await Array.fromAsync(slipway.workspaces.list({ query: "template:demo" }));
    expect(left).toEqual([]);
  },
);

async function isGone(id: string): Promise<boolean> {
  const found = await slipway.workspaces.get(id);
  return found.status === "deleted";
}

it("creates a workspace, waits until it is ready, and deletes it at the end of the block", async () => {
  const progress: WaitProgress[] = [];
  let id = "";
  {
    await using workspace = await slipway.workspaces.create({
      template: "node",
      preset: "polite",
      name: "first",
      onProgress: (one) => progress.push(one),
    });
    ({ id } = workspace);
    expect(workspace).toMatchObject({
      name: "first",
      owner: "admin",
      status: "running",
      isClaimed: false,
      failedStarts: [],
    });
    expect(workspace.agent().lifecycle_state).toBe("ready");
    expect(progress.map((one) => one.text)).toContain("waiting for agent main to connect");
  }
  expect(await isGone(id)).toBe(true);
});

it("stops and starts a workspace, and keeps one that it only found", async () => {
  await using made = await slipway.workspaces.create({ template: "node", name: "second" });
  {
    await using found = await slipway.workspaces.get("admin/second");
    expect(found.id).toBe(made.id);
    const longer = slipway.workspaces.get("admin/second/more");
    await expect(longer).rejects.toMatchObject({ code: "not-found", admitted: "no" });
    await found.stop();
    expect(found.status).toBe("stopped");
    expect(() => found.agent()).toThrow(expect.objectContaining({ code: "not-running" }));
    await found.start();
    expect(found.agent().lifecycle_state).toBe("ready");
  }
  expect((await made.refresh()).status).toBe("running");
  const listed = await Array.fromAsync(slipway.workspaces.list({ query: "name:second" }));
  expect(listed.map((one) => one.id)).toEqual([made.id]);
});

it("gives several callers the same workspace", async () => {
  const options = { template: "node", name: "shared" };
  const all = await Promise.all([1, 2, 3].map(() => slipway.workspaces.getOrCreate(options)));
  const [first] = all;
  expect(new Set(all.map((one) => one.id)).size).toBe(1);
  await first?.stop();
  const again = await slipway.workspaces.getOrCreate(options);
  expect(again.status).toBe("running");
  await again.delete();
});

it("deletes a workspace that did not become ready, and says why", async () => {
  const stop = new AbortController();
  const onProgress = (): void => stop.abort(new Error("changed my mind"));
  const made = slipway.workspaces.create({
    template: "node",
    name: "impatient",
    onProgress,
    signal: stop.signal,
  });
  await expect(made).rejects.toThrow("changed my mind");
  await expect(slipway.workspaces.get("impatient")).rejects.toMatchObject({ code: "not-found" });
});

it("says in codes what the server refuses", async () => {
  const refused = slipway.workspaces.create({ template: "broken", name: "x" });
  const error: unknown = await refused.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ code: "api-error", retryable: false, admitted: "no" });
  for (const options of [
    { template: "nothing" },
    { template: "node", preset: "rude" },
    { template: "node", version: "x" },
  ]) {
    const missing: unknown = await slipway.workspaces
      .create(options)
      .catch((reason: unknown) => reason);
    expect(missing).toBeInstanceOf(WorkspaceError);
    expect(missing).toMatchObject({ code: "not-found", retryable: false, admitted: "no" });
  }
  const claimed = slipway.workspaces.claim({ template: "node", preset: "polite" });
  await expect(claimed).rejects.toMatchObject({
    code: "no-prebuild",
    retryable: true,
    admitted: "no",
  });
});

it("moves the time at which a workspace is deleted, never back unless asked to", async () => {
  const hourMs = 3_600_000;
  await using workspace = await slipway.workspaces.create({ template: "node", timeoutMs: hourMs });
  expect(workspace.data.on_deadline).toBe("delete");
  const before = workspace.deadline?.getTime() ?? 0;
  expect(before).toBeGreaterThan(Date.now());
  expect(await workspace.extend(60_000)).toBe(true);
  expect(workspace.deadline?.getTime()).toBe(before);
  {
    await using lease = workspace.keepAlive({ leaseMs: 2 * hourMs });
    void lease;
    await expect
      .poll(async () => (await workspace.refresh()).deadline?.getTime())
      .toBeGreaterThan(before);
  }
  await workspace.extend(120_000, { mayShorten: true });
  expect((await workspace.refresh()).deadline?.getTime()).toBeLessThan(before);
  await using endless = await slipway.workspaces.create({ template: "node" });
  expect(endless.deadline).toBeUndefined();
  expect(await endless.extend(hourMs)).toBe(false);
});

it("runs commands, whose runs other handles continue, and reads and writes files", async () => {
  const env = { WHO: "world", PLACE: "here" };
  await using workspace = await slipway.workspaces.create({ template: "node", name: "runs", env });
  const result = await workspace.run('echo "hello $WHO, $PLACE"; echo oops >&2; exit 3', {
    env: { PLACE: "there" },
  });
  expect(result).toMatchObject({
    exitCode: 3,
    stdout: "hello world, there\n",
    stderr: "oops\n",
    truncated: false,
  });
  const run = workspace.run(["cat"], { stdin: "open" });
  await run.started();
  await run.write("first\n");
  const other = await slipway.workspaces.get("runs");
  const attached = other.commands.attach(run.id);
  await run.write("second\n");
  run.closeStdin();
  expect(await attached).toMatchObject({ exitCode: 0, stdout: "first\nsecond\n" });
  await workspace.files.write("~/made/by.txt", "a program", { parents: true });
  expect(await other.files.readText("~/made/by.txt")).toBe("a program");
  await workspace.stop();
  const stopped = await slipway.workspaces.get("runs");
  for (const handle of [workspace, stopped]) {
    const left = await handle.commands.attach(run.id);
    expect(left).toMatchObject({ exitCode: 0, stdout: "first\nsecond\n", truncated: false });
    const missing = handle.commands.attach(crypto.randomUUID());
    await expect(Promise.resolve(missing)).rejects.toMatchObject({ admitted: "no" });
  }
  expect(() => workspace.run("true")).toThrow(expect.objectContaining({ code: "not-running" }));
});

it("forwards a local port to a port of the workspace", async () => {
  await using workspace = await slipway.workspaces.create({ template: "node", name: "ports" });
  // The workspaces of the driver share this machine.
  const server = createServer((socket) => {
    // The end of the forward resets what is still half open.
    socket.on("error", () => undefined).end("hello from inside");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const address = server.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    await using forwarding = await workspace.forward(port);
    expect(forwarding.localPort).not.toBe(port);
    expect(await text(connect(forwarding.localPort, "127.0.0.1"))).toBe("hello from inside");
  } finally {
    server.close();
  }
  await expect(workspace.url(8080)).rejects.toMatchObject({ code: "no-port-url" });
  for (const port of [0, Number("eight"), 65_536]) {
    await expect(workspace.forward(port)).rejects.toThrow(RangeError);
    await expect(workspace.url(port)).rejects.toThrow(RangeError);
  }
});
