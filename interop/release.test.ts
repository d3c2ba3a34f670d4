import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { access, chmod, chown, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { getExternalAgentCredentials } from "@slipway/api/workspaces/external-agent-routes";
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

import { emulator } from "./support/emulator.ts";

/*
 * A release, built from registry packages as in production and run by an ordinary user who cannot see the clone and
 * its Node.js. Builds one compression of the archives, which saves half of the time.
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
let armArchive = "";
/** The unpacked release. */
let release = "";

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "slipway-release-"));
  opened.defer(() => rm(place, { recursive: true, force: true }));
  await chmod(place, 0o755);
  const architectures = ["--architecture", "amd64", "--architecture", "arm64"];
  const lines = timed("made two releases", () =>
    run(process.execPath, [join(clone, tool), ...architectures, ...toolOptions("release")]),
  );
  [archive = "", armArchive = ""] = lines.split("\n");
  release = unpack(archive);
});
afterAll(() => opened.disposeAsync());

const tool = "tools/build-release.ts";

function toolOptions(output: string): readonly string[] {
  const places = ["--downloads", join(place, "downloads"), "--output", join(place, output)];
  return ["--compression", "tar.gz", ...places];
}

function timed<T>(what: string, work: () => T): T {
  const startedAt = performance.now();
  const result = work();
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  process.stderr.write(`${what} in ${seconds} s\n`);
  return result;
}

function unpack(path: string): string {
  run("tar", ["-xzf", path, "-C", place]);
  return join(place, basename(path, ".tar.gz"));
}

function run(program: string, args: readonly string[], cwd = clone): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", cwd });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout;
}

/** Returns a command prefix that runs a program as a user who owns nothing, without the clone and without zstd. */
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
    // In a separate process group: a pipeline has several processes.
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

it("is the same from another directory of another user, in another time zone", () => {
  const other = join(place, "another clone");
  const packing = `tar --null --ignore-failed-read --files-from - -c | tar --touch -x -C "$0"`;
  const prepare = `mkdir "$0" "$0/home" && git ls-files -co --exclude-standard -z | { ${packing}; } && mkdir "$0/node_modules"`;
  // A bind mount is a directory of the clone; a link would lead to another place.
  const build = `mount --bind node_modules "$0/node_modules" && cd "$0" && HOME=$PWD/home exec "$@"`;
  // It names the registry.
  const npmrc = process.env["npm_config_userconfig"] ?? join(homedir(), ".npmrc");
  const environment = ["env", "TZ=Asia/Kolkata", `npm_config_userconfig=${npmrc}`];
  const words = [process.execPath, tool, "--architecture", "amd64", ...toolOptions("again")];
  const line = `umask 077; ${prepare} && ${build}`;
  const again = timed("made one again", () =>
    run("unshare", ["--mount", ...environment, "sh", "-c", line, other, ...words]),
  );
  const sum = (path: string): string => run("sha256sum", ["--binary", path]).slice(0, 64);
  expect(sum(again.trim())).toBe(sum(archive));
});

it("has programs of its architecture only, which run", async () => {
  const root = unpack(armArchive);
  const machines = new Set<string>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const content = await readFile(join(entry.parentPath, entry.name));
    // The field e_machine of an ELF header; 183 is AArch64.
    if (content.toString("latin1", 0, 4) === "\u007FELF")
      machines.add(`${content.readUInt16LE(18)}`);
  }
  expect([...machines]).toEqual(["183"]);
  const own = join(root, "lib/glibc");
  const loader = [join(own, "ld-linux-aarch64.so.1"), "--inhibit-cache", "--library-path", own];
  const command = [join(root, "lib/node"), join(root, "lib/slipway/command.cjs"), "--version"];
  expect(run(emulator, [...loader, ...command])).toMatch(/^slipway v\d.*linux\/arm64/);
  expect(run(emulator, [join(root, "lib/tini"), "--version"])).toContain("tini version");
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
    // In a container it is the first process.
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
  const dashboard = await (await fetch(`${server.url}/workspaces`)).text();
  const script = /<script type="module" [^>]*src="(?<path>[^"]*)"/.exec(dashboard)?.groups?.[
    "path"
  ];
  expect((await fetch(`${server.url}${script}`)).status).toBe(200);
  const cookie = `coder_session_token=${client.headers["Coder-Session-Token"]}`;
  const guides = await fetch(`${server.url}/docs`, { headers: { Cookie: cookie } });
  expect(await guides.text()).toContain("operations");

  await server.end("SIGTERM");
  const log = await readFile(join(dataDir, "postgres.log"), "utf8");
  expect(log.trimEnd()).toMatch(/database system is shut down$/);
});
