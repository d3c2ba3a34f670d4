import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import {
  openTestDatabase,
  type ServerProcess,
  startServerProcess,
  testAdmin,
} from "@slipway/testkit";
import { buildArchive, openDocker, type TestEngine } from "@slipway/testkit/engines";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { type EndedCommand, runCommandProcess } from "../support/command-process.ts";

/* A user's way through workspaces in containers: a real server, command, agent and engine. Each test goes on from the last, and can be repeated. */

const opened = new AsyncDisposableStack();
let engine: TestEngine;
let server: ServerProcess;
let directory: string;
let start: () => Promise<ServerProcess>;
/** The templates with prebuilds. */
const pools: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-containers-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  engine = opened.use(await openDocker());
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const environment = {
    SLIPWAY_POSTGRES_URL: database.url,
    SLIPWAY_DOCKER_HOST: `unix://${engine.socketPath}`,
    SLIPWAY_DOWNLOADS_DIR: dirname((await buildArchive()).path),
  };
  let port = 0;
  start = async () => {
    const started = await startServerProcess({
      dataDir: join(directory, "data"),
      port,
      environment,
    });
    port = Number(new URL(started.url).port);
    return started;
  };
  server = await start();
  opened.defer(() => server.end("SIGTERM"));
  await slipway("login", server.url, "--email", testAdmin.email, "--password", testAdmin.password);
});

afterAll(() => opened.disposeAsync());

/** Runs a command that succeeds. */
async function slipway(...words: readonly string[]): Promise<EndedCommand> {
  const ended = await tryCommand(words);
  if (ended.code !== 0) throw new Error(`slipway ${words.join(" ")}: ${ended.err}${ended.out}`);
  return ended;
}

function tryCommand(words: readonly string[]): Promise<EndedCommand> {
  const environment = { CODER_CONFIG_DIR: join(directory, "config"), CODER_SESSION_TOKEN: "" };
  return runCommandProcess(words, { environment });
}

/** Runs a program in the workspace over SSH. */
async function inWorkspace(name: string, command: string): Promise<string> {
  return (await slipway("ssh", name, "--", command)).out.trim();
}

/** Lists what Docker's command prints, by line. */
async function lines(...words: readonly string[]): Promise<readonly string[]> {
  return (await engine.docker(words)).split("\n").filter((line) => line !== "");
}

/** Deletes the workspaces that are there: an attempt that failed may have left them. */
async function discard(...names: readonly string[]): Promise<void> {
  const listed = (await slipway("list", "--column", "workspace")).out;
  const left = names.filter((name) => new RegExp(String.raw`\b${name}\b`).test(listed));
  if (left.length > 0) await slipway("delete", ...left, "--yes");
}

/** Writes the docker example with the image of the tests, and other changes. */
async function writeTemplate(name: string, change: (text: string) => string): Promise<string> {
  const path = join(await mkdtemp(join(directory, "template-")), name);
  await mkdir(path);
  await slipway("templates", "init", "--example", "docker", path);
  const file = join(path, "slipway.yaml");
  const text = (await readFile(file, "utf8")).replace(/default: \S+ # Debian.*/, "default: box:1");
  await writeFile(file, change(text));
  return path;
}

it("tests a pushed template in a container, which reaches a server on the loopback address", async () => {
  const path = await writeTemplate("box", (text) => text);
  const { err } = await slipway("templates", "push", path);
  expect(err).toMatch(/calling http:\/\/10\.\d+\.\d+\.1:\d+ from a container/);
  expect(await lines("ps", "-aq")).toEqual([]);
});

it("creates a workspace whose home outlives a stop, and nothing else does", async () => {
  await discard("one");
  await slipway("create", "one", "--template", "box", "--yes");
  expect(await inWorkspace("one", "id -un; pwd; touch kept /tmp/lost; ls")).toBe(
    "dev\n/home/dev\nkept",
  );
  await slipway("stop", "one", "--yes");
  expect(await lines("ps", "-aq")).toEqual([]);
  await slipway("start", "one", "--yes");
  expect(await inWorkspace("one", "ls; ls /tmp/lost || true")).toBe("kept");
});

it("gives the container the memory of a changed parameter", async () => {
  await slipway("restart", "one", "--yes", "--parameter", "memory=1");
  const [id = ""] = await lines("ps", "-q");
  expect(await lines("inspect", "--format", "{{.HostConfig.Memory}}", id)).toEqual([`${2 ** 30}`]);
});

it("says at once that a container was killed, and why", async () => {
  if ((await lines("ps", "-q")).length === 0) await slipway("restart", "one", "--yes");
  await engine.docker(["kill", ...(await lines("ps", "-q"))]);
  const health = async (): Promise<string> => (await slipway("show", "one")).out;
  await expect
    .poll(health)
    .toMatch(
      /agent is not running: container \w+ ended with exit code 137\n  ended .*slipway restart/,
    );
  expect((await tryCommand(["ssh", "one", "--", "true"])).err).toContain("exit code 137");
  expect((await slipway("logs", "one")).out).toContain("ended with exit code 137");
});

it("starts the workspace again after a restart of the engine", async () => {
  await slipway("restart", "one", "--yes");
  await engine.kill();
  await engine.start();
  const home = async (): Promise<EndedCommand> => tryCommand(["ssh", "one", "--", "ls"]);
  await expect.poll(home, { timeout: 60_000 }).toMatchObject({ code: 0, out: "kept\n" });
});

it("finds its containers after a restart of the server", async () => {
  const before = await lines("ps", "-q", "--no-trunc");
  await server.end("SIGKILL");
  server = await start();
  const health = async (): Promise<string> => (await slipway("list")).out;
  await expect.poll(health, { timeout: 60_000 }).toMatch(/one +box +running +yes/);
  expect(await lines("ps", "-q", "--no-trunc")).toEqual(before);
});

it("hands a prebuild over without touching its container", async () => {
  const pooled = (text: string): string => text.replace("instances: 0", "instances: 1");
  await discard("two");
  // An earlier attempt has claimed from its own pool, which fills again meanwhile.
  pools.push(`pool-${pools.length}`);
  const pool = pools.at(-1) ?? "";
  await slipway("templates", "push", await writeTemplate(pool, pooled));
  const waiting = async (): Promise<string> => (await slipway("prebuilds", "list")).out;
  const isFilled = new RegExp(`${pool}.*small.* 1`);
  await expect.poll(waiting, { timeout: 60_000 }).toMatch(isFilled);
  const before = await lines("ps", "-q", "--no-trunc");
  await slipway("create", "two", "--template", pool, "--preset", "small", "--yes");
  const after = await lines("ps", "-q", "--no-trunc");
  expect(after).toEqual(expect.arrayContaining([...before]));
  expect(await inWorkspace("two", "echo $GIT_AUTHOR_NAME")).toBe("admin");
  const claimed = await lines("ps", "-q", "--no-trunc", "--filter", `id=${before[0] ?? ""}`);
  expect(claimed).toHaveLength(1);
});

it("leaves nothing of deleted workspaces but what all share", async () => {
  for (const pool of pools) await slipway("templates", "edit", pool, "--deprecated", "over");
  await discard("one", "two");
  const own = async (): Promise<readonly string[]> =>
    (await lines("volume", "ls", "--format", "{{.Name}}")).filter(
      (name) => !name.startsWith("slipway-agent-"),
    );
  const prebuilt = () => lines("ps", "-q");
  await expect.poll(async () => (await own()).length - (await prebuilt()).length).toBe(0);
  expect(await lines("images", "--format", "{{.Repository}}:{{.Tag}}")).toEqual(["box:1"]);
});

it("refuses what the operator does not allow, with line and column", async () => {
  const wishes = "docker: { privileged: true, host_pid: true, binds: ['/srv:/srv'] }";
  const path = await writeTemplate("bad", (text) =>
    text.replace(/^( +)cpus: 2$/m, (line, indent: string) => `${line}\n${indent}${wishes}`),
  );
  const { code, err } = await tryCommand(["templates", "push", path]);
  expect(code).not.toBe(0);
  for (const name of ["privileged", "host-pid", "binds"]) {
    expect(err).toMatch(
      new RegExp(String.raw`slipway\.yaml:\d+:\d+: .* ${name} to SLIPWAY_DOCKER_ALLOW`),
    );
  }
});
