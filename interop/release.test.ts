import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { access, chmod, chown, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { getExternalAgentCredentials } from "@slipway/api";
import {
  logInAsAdmin,
  makeWorkspace,
  pushTemplate,
  requireAgent,
  type ServerProcess,
  startServerProcess,
  waitForWorkspace,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

/*
 * A release, made of packages of the registries as in production, and run by an ordinary user where the clone and its Node.js
 * cannot be seen. With one compression of the archives, which saves half of the time.
 */

const clone = fileURLToPath(new URL("..", import.meta.url));
/** The user nobody, as PostgreSQL wants one that exists. */
const uid = 65_534;
const template = `
driver: external
agents:
  main: { os: linux, arch: amd64, directory: "~" }
`;

const opened = new AsyncDisposableStack();
let place = "";
let archive = "";
/** The unpacked release. */
let release = "";

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "slipway-release-"));
  opened.defer(() => rm(place, { recursive: true, force: true }));
  await chmod(place, 0o755);
  const startedAt = performance.now();
  const tool = [join(clone, "tools/build-release.ts"), "--architecture", "amd64"];
  const places = ["--downloads", join(place, "downloads"), "--output", join(place, "release")];
  archive = run(process.execPath, [...tool, "--compression", "tar.gz", ...places]).trim();
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  process.stderr.write(`made ${basename(archive)} in ${seconds} s\n`);
  run("tar", ["-xzf", archive, "-C", place]);
  release = join(place, basename(archive, ".tar.gz"));
});
afterAll(() => opened.disposeAsync());

function run(program: string, args: readonly string[], cwd = clone): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", cwd });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout;
}

/** Returns the words before a program that run it as a user of nothing, without the clone and without zstd. */
function stranger(): readonly [string, ...string[]] {
  const hideZstd = '{ ! zstd=$(command -v zstd) || mount --bind /dev/null "$zstd"; }';
  const line = `mount -t tmpfs none "$0" && ${hideZstd} && exec setpriv --reuid ${uid} --regid ${uid} --clear-groups "$@"`;
  return ["unshare", "--mount", "sh", "-c", line, clone];
}

async function makeHome(): Promise<Readonly<Record<string, string>>> {
  const home = join(place, "home");
  await mkdir(home, { recursive: true });
  await chown(home, uid, uid);
  return { HOME: home, PATH: "/usr/bin:/bin" };
}

/** Starts a line of shell as the stranger; its processes end with the test at the latest. */
function startLine(line: string, environment: Readonly<Record<string, string>>): ChildProcess {
  const [program, ...words] = stranger();
  const child = spawn(program, [...words, "sh", "-c", line], {
    env: environment,
    cwd: "/",
    stdio: ["ignore", "pipe", "inherit"],
    // In a group of its own: a pipeline has several processes.
    detached: true,
  });
  onTestFinished(async () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-child.pid, "SIGKILL");
    await once(child, "exit");
  });
  return child;
}

it("has its sum beside it, and nothing in it of the moment and the machine", () => {
  expect(run("sha256sum", ["--check", `${archive}.sha256`], dirname(archive))).toContain(": OK");
  const lines = run("tar", ["--utc", "--numeric-owner", "--full-time", "-tvzf", archive]).split(
    "\n",
  );
  const entries = lines.filter((line) => line !== "");
  expect(entries.length).toBeGreaterThan(500);
  const others = entries.filter((line) => !/^\S+ 0\/0 +\d+ 2000-01-01 00:00:00 /.test(line));
  expect(others).toEqual([]);
  const paths = entries.map((line) => line.split(" ").at(-1));
  expect(new Set(paths).size).toBe(paths.length);
});

it("has the files that its Dockerfile runs, and licenses", async () => {
  const dockerfile = await readFile(join(release, "Dockerfile"), "utf8");
  const programs = [...dockerfile.matchAll(/"\/opt\/slipway\/([^"]*)"/g)].map(([, path]) => path);
  expect(programs).toEqual(["lib/node", "lib/tini", "bin/slipway"]);
  for (const path of programs) await access(join(release, path ?? ""));
  for (const name of ["node", "packages", "server-packages", "postgresql", "tini"]) {
    const license = await readFile(join(release, "share/licenses", name), "utf8");
    expect(license, name).toMatch(/copyright/i);
  }
});

it("serves an agent and the command, and stops in good order", async () => {
  const environment = await makeHome();
  const dataDir = join(environment["HOME"] ?? "", "data");
  await using server: ServerProcess = await startServerProcess({
    dataDir,
    port: 0,
    launcher: stranger(),
    // As in a container, where it is the first process.
    command: [join(release, "lib/tini"), "-s", "--", join(release, "bin/slipway")],
    environment,
  });
  const client = await logInAsAdmin(server.url);
  const get = (path: string): string =>
    `(curl -fsSL ${server.url}/${path} || wget -qO- ${server.url}/${path})`;

  const install = startLine(
    `${get("install.sh")} | sh && ~/.local/bin/slipway version`,
    environment,
  );
  if (install.stdout === null) throw new Error("no output");
  expect(await text(install.stdout)).toMatch(/^slipway v\d.* \(node v24/m);

  const { id } = await makeWorkspace(
    client,
    "released",
    await pushTemplate(client, "released", template),
    () => true,
  );
  const params = { workspace: id, agent: "main" };
  const { command } = await client.call(getExternalAgentCredentials, { params });
  startLine(command, environment);
  await waitForWorkspace(client, id, (one) => requireAgent(one).lifecycle_state === "ready");

  const sum = await readFile(join(place, "downloads/slipway-linux-arm64.tar.gz.sha256"), "utf8");
  const served = await fetch(`${server.url}/bin/slipway-linux-arm64.tar.gz.sha256`);
  expect(await served.text()).toBe(sum);
  expect((await fetch(`${server.url}/api/v2/docs/swagger-ui.css`)).status).toBe(200);
  expect(await (await fetch(`${server.url}/docs`)).text()).toContain("operations");

  await server.end("SIGTERM");
  const log = await readFile(join(dataDir, "postgres.log"), "utf8");
  expect(log.trimEnd()).toMatch(/database system is shut down$/);
});
