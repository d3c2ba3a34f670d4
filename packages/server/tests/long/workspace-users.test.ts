import { spawn } from "node:child_process";
import { link, lstat, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getAgentLogs } from "@slipway/api/agents/log-routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import {
  type DriverBuild,
  ProcessDriver,
  procTable,
  type UidRange,
  WorkspaceUsers,
} from "@slipway/drivers";
import { silentLogger, systemClock } from "@slipway/runtime";
import {
  firstAgent,
  logInAsAdmin,
  pushTemplate,
  startServerProcess,
  waitForWorkspace,
} from "@slipway/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

// Only root can run processes as another user; CI is root.
const ofRoot = describe.runIf(process.getuid?.() === 0);
const signal = new AbortController().signal;

let root: string;
const opened: (() => Promise<void>)[] = [];

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "slipway-test-")));
});

afterEach(async () => {
  for (const close of opened.splice(0)) await close();
  await rm(root, { recursive: true, force: true });
});

async function pidsOf(uid: number): Promise<number[]> {
  return (await procTable().list()).filter((found) => found.uid === uid).map(({ pid }) => pid);
}

/**
 * Attacks from a workspace. Each line of output is a secret or a neighbor that it reached, except the last, which names
 * its own user.
 */
const hostileScript = `
  node=$(readlink /proc/$PPID/exe)
  me=$(id -u)
  own=$(cd "$HOME/.." && pwd)
  data=$(cd / && cd "$own/../.." && pwd)
  reached() { "$@" >/dev/null 2>&1 && echo "reached: $*"; }
  for file in secret-key replica-id postgres.log server-lock; do reached cat "$data/$file"; done
  for folder in . workspaces postgres-18 workspaces/*; do reached ls "$data/$folder"; done
  for folder in "$data"/postgres-18 /tmp/slipway-postgres-*; do
    reached ls "$folder"
    reached "$node" -e 'require("net").connect(process.argv[1]).on("error", () => process.exit(1))
      .on("connect", () => process.exit(0))' "$folder/.s.PGSQL.5432"
  done
  for neighbor in NEIGHBOR; do
    for part in home tmp log script-data sockets run; do reached ls "$data/workspaces/$neighbor/$part"; done
    reached cat "$data/workspaces/$neighbor/agent.log"
  done
  reached ls "$own/run"
  reached touch "$own/run/forged.json"
  reached ln -sf /etc/passwd "$own/agent.log"
  reached mv "$own/run" "$HOME"
  reached cat "$own/agent.log"
  # By what the shell does itself: there may be many processes.
  stat -c '%u %n' /proc/[0-9]* 2>/dev/null | while read -r owner process; do
    [ "$owner" = "$me" ] && continue
    { : <"$process/environ"; } 2>/dev/null && echo "reached: $process/environ"
    [ -e "$process/cwd/." ] && echo "reached: $process/cwd"
    kill -0 "\${process#/proc/}" 2>/dev/null && echo "reached: $process"
  done
  env -i setsid sh -c 'sleep 1000 & sleep 1000 &' >/dev/null 2>&1
  echo "I am $(id -u) $(id -g) $(id -G), home $(stat -c '%u %g %a' "$HOME")"
`;

function template(script: string): string {
  const lines = script.replaceAll("\n", "\n          ");
  return `driver: process
agents:
  main:
    os: linux
    arch: amd64
    scripts:
      attack:
        run_on: [start]
        run: |
          ${lines}
`;
}

ofRoot("a server of root", () => {
  it("runs each workspace as a user who gets at nothing of the server and of other workspaces", async () => {
    const environment = { SLIPWAY_SECRET_KEY: "a-key-from-the-configuration-of-32-characters" };
    const server = await startServerProcess({ dataDir: root, port: 0, environment });
    opened.push(() => server.end("SIGINT"));
    const client = await logInAsAdmin(server.url);
    const run = async (name: string, script: string) => {
      const templateId = await pushTemplate(client, name, template(script));
      const body = { name, template_id: templateId };
      const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
      const workspace = await waitForWorkspace(
        client,
        id,
        (found) => firstAgent(found)?.lifecycle_state === "ready",
      );
      const params = { agent: firstAgent(workspace)?.id ?? "" };
      const lines = await vi.waitFor(async () => {
        const found = (await client.call(getAgentLogs, { params })).map(({ output }) => output);
        expect(found.join("\n")).toContain("I am ");
        return found;
      }, 20_000);
      const said = /^I am (\d+) (.*)$/.exec(lines.at(-1) ?? "");
      return { id, lines, uid: Number(said?.[1]), said: said?.[2] };
    };
    const neighbor = await run("neighbor", 'echo "I am $(id -u) here"');
    const hostile = await run("hostile", hostileScript.replace("NEIGHBOR", neighbor.id));
    const { uid } = hostile;
    expect(hostile.lines).toEqual([`I am ${uid} ${uid} ${uid}, home ${uid} ${uid} 700`]);
    expect(uid).toBeGreaterThanOrEqual(60_578);
    expect(neighbor.uid).not.toBe(uid);
    expect(await pidsOf(uid)).not.toEqual([]);
    const stop = { params: { workspace: hostile.id }, body: { transition: "stop" } } as const;
    await client.call(createBuild, stop);
    await waitForWorkspace(client, hostile.id, (found) => found.latest_build.status === "stopped");
    // Including processes that left the agent's group and environment.
    expect(await pidsOf(uid)).toEqual([]);
    expect(await pidsOf(neighbor.uid)).not.toEqual([]);
  });

  const range: UidRange = { first: 61_000, last: 61_099 };

  function openDriver(users: UidRange | undefined): ProcessDriver {
    const script = 'echo started >>"$HOME/notes"; while :; do sleep 1000 & wait $!; done';
    const driver = new ProcessDriver({
      workspacesDir: join(root, "workspaces"),
      runtimeDir: join(root, "runtime"),
      users,
      agentCommand: ["/bin/sh", "-c", script],
      programs: {},
      isEnabled: true,
      logger: silentLogger,
      clock: systemClock,
    });
    opened.push(() => driver.shutdownAll({ signal, timeoutMs: 0 }));
    return driver;
  }

  const log = { write: () => undefined };

  function buildOf(id = "6d2a6c9e-0000-4000-8000-000000000001"): DriverBuild {
    return {
      id: "build-1",
      number: 1,
      transition: "start",
      workspace: {
        id,
        name: "demo",
        owner: {
          id: "owner-1",
          username: "ada",
          name: "",
          email: "",
          roles: [],
          organizationId: "",
          loginType: "password",
          gitKey: undefined,
        },
      },
      template: {
        id: "t",
        name: "box",
        version: "1",
        settings: {},
        directory: undefined,
        notes: undefined,
      },
      isPrebuild: false,
      keepState: async () => undefined,
      hold: () => Promise.reject(new Error("nothing holds this build")),
      parameters: {},
      agents: [
        {
          id: `agent-${id}`,
          name: "main",
          token: `token of ${id}`,
          platform: { os: "linux", arch: "amd64" },
          directory: "~",
          environment: {},
          container: undefined,
        },
      ],
      limits: { stopTimeoutMs: 10_000 },
      accessUrl: "http://127.0.0.1:3000",
      readState: async () => undefined,
    };
  }

  it("goes on with what ran as root before an upgrade, and gives it a user at the next start", async () => {
    const build = buildOf();
    const home = join(root, "workspaces", build.workspace.id, "home");
    const started = await openDriver(undefined).start(build, log, signal);
    await vi.waitFor(() => readFile(join(home, "notes"), "utf8"), 10_000);
    await mkdir(join(home, "project"));
    await writeFile(join(home, "project", "file"), "text");
    await writeFile(join(root, "of-the-system"), "secret", { mode: 0o600 });
    await link(join(root, "of-the-system"), join(home, "project", "link"));

    const driver = openDriver(range);
    expect(await driver.start(build, log, signal)).toEqual(started);
    expect((await lstat(home)).uid).toBe(0);
    await driver.stop(build, log, signal);
    await driver.start(build, log, signal);
    const { uid } = await lstat(home);
    expect(uid).toBeGreaterThanOrEqual(range.first);
    expect(await pidsOf(uid)).not.toEqual([]);
    const ownerOf = async (name: string) => (await lstat(join(home, "project", name))).uid;
    expect([await ownerOf("."), await ownerOf("file"), await ownerOf("link")]).toEqual([
      uid,
      uid,
      0,
    ]);
    expect((await lstat(join(root, "of-the-system"))).uid).toBe(0);
    await driver.stop(build, log, signal);
    expect(await pidsOf(uid)).toEqual([]);
  });

  it("does not take a process for another workspace's because it says so", async () => {
    const driver = openDriver(range);
    const [victim, attacker] = [buildOf(), buildOf("6d2a6c9e-0000-4000-8000-000000000002")];
    await driver.start(victim, log, signal);
    await driver.start(attacker, log, signal);
    const uidOf = async ({ workspace }: DriverBuild) =>
      (await lstat(join(root, "workspaces", workspace.id, "home"))).uid;
    const [own, other] = [await uidOf(victim), await uidOf(attacker)];
    const forge = (directory: string) => {
      const env = {
        SLIPWAY_PROCESS: victim.agents[0]?.id,
        SLIPWAY_PROCESS_DIR: directory,
        CODER_AGENT_TOKEN: victim.agents[0]?.token,
      };
      const account = { uid: other, gid: other };
      const child = spawn("sleep", ["1000"], { detached: true, stdio: "ignore", env, ...account });
      opened.push(async () => void child.kill("SIGKILL"));
      return child;
    };
    const forged = forge(join(root, "workspaces", victim.workspace.id));
    // A forged mark that is not a directory does not prevent a stop.
    for (const odd of ["/etc/passwd", "/".repeat(5000), "\u{1F984}", "."]) forge(odd);
    await driver.stop(victim, log, signal);
    expect(await pidsOf(own)).toEqual([]);
    expect(await pidsOf(other)).toContain(forged.pid);
    const { id: workspaceId } = victim.workspace;
    const { agents } = await driver.observe(
      { workspaceId, agents: victim.agents, state: undefined },
      signal,
    );
    expect(agents).toEqual([{ id: victim.agents[0]?.id, status: "absent" }]);
    await driver.stop(attacker, log, signal);
    expect(await pidsOf(other)).toEqual([]);
  });
});

describe("users of workspaces", () => {
  function openUsers(first: number, last: number): WorkspaceUsers {
    const table = { list: async () => [], find: async () => undefined };
    const directories = [join(root, "assignments")];
    return new WorkspaceUsers({ range: { first, last }, table, directories });
  }

  async function makeDirectory(server: string, name: string): Promise<string> {
    const directory = join(root, server, name);
    await mkdir(directory, { recursive: true });
    return directory;
  }

  it("are one for each workspace of a machine, also of several servers at once", async () => {
    const servers = [openUsers(7000, 7049), openUsers(7000, 7049)];
    const directories = await Promise.all(
      Array.from({ length: 50 }, (_, index) => makeDirectory(`server-${index % 2}`, `${index}`)),
    );
    const users = await Promise.all(
      directories.map(async (directory, index) => servers[index % 2]?.assign(directory)),
    );
    expect(new Set(users.map((user) => user?.uid)).size).toBe(50);
    const again = await Promise.all(directories.map(async (one) => servers[0]?.assign(one)));
    expect(again).toEqual(users);
    await expect(servers[0]?.assign(join(root, "server-0", "more"))).rejects.toMatchObject({
      name: "DriverError",
      code: "not-startable",
      message: expect.stringContaining("set SLIPWAY_PROCESS_UIDS to a wider range"),
    });
  });

  it("are used again when their workspace is gone and every other one was used", async () => {
    const users = openUsers(7000, 7002);
    const [one, two, three, four] = await Promise.all(
      ["1", "2", "3", "4"].map((name) => makeDirectory("server", name)),
    );
    const first = await users.assign(one ?? "");
    await rm(one ?? "", { recursive: true });
    expect(await users.assign(two ?? "")).not.toEqual(first);
    expect(await users.assign(three ?? "")).not.toEqual(first);
    expect(await users.assign(four ?? "")).toEqual(first);
  });

  it("are none that run something or have a name", async () => {
    const found = { pid: 1, parentPid: 0, groupId: 1, start: "", startedAtMs: 0, marks: undefined };
    const table = { list: async () => [{ ...found, uid: 7000 }], find: async () => undefined };
    const directories = [join(root, "assignments")];
    const users = new WorkspaceUsers({ range: { first: 7000, last: 7001 }, table, directories });
    expect(await users.assign(await makeDirectory("server", "1"))).toEqual({
      uid: 7001,
      gid: 7001,
    });
    const named = new WorkspaceUsers({
      range: { first: 65_534, last: 65_534 },
      table,
      directories,
    });
    await expect(named.assign(await makeDirectory("server", "2"))).rejects.toThrow(
      "all users from",
    );
  });
});
