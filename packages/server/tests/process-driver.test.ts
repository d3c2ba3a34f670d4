import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  type DriverLog,
  ProcessDriver,
  type ProcessTable,
  procTable,
  type RunningProcess,
  type UidRange,
} from "@slipway/drivers";
import { silentLogger, systemClock } from "@slipway/runtime";
import { sampleAgent, sampleBuild, sampleWorkspaceId } from "@slipway/testkit/compliance";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

/** Runs until told to stop; records its start and the request to stop. */
const patientAgent = `
  trap 'echo stopped >>"$HOME/notes"; exit 0' TERM
  echo started >>"$HOME/notes"
  while :; do sleep 1000 & wait $!; done`;

/** Starts children in separate sessions, one of which ignores signals, and does not end them. */
const agentWithChildren = `
  setsid sleep 1000 &
  setsid sh -c 'trap "" TERM; echo $$ >"$HOME/deaf"; while :; do sleep 1; done' &
  ${patientAgent}`;

/** The process table of a machine on which environments are unreadable. */
const withoutMarks: ProcessTable = {
  list: async () => (await procTable().list()).map(withoutMark),
  find: async (pid) => {
    const found = await procTable().find(pid);
    return found === undefined ? undefined : withoutMark(found);
  },
};

function withoutMark(found: RunningProcess): RunningProcess {
  return { ...found, marks: undefined };
}

const signal = new AbortController().signal;

/** Under root each workspace has its own user; otherwise the driver does the same with the server's user. */
const modes: readonly [string, UidRange | undefined][] = [
  ["as the server's own user", undefined],
  ...(process.getuid?.() === 0
    ? [["as a user of the workspace's own", { first: 61_100, last: 61_183 }] as [string, UidRange]]
    : []),
];

let users: UidRange | undefined;
let root: string;
let drivers: ProcessDriver[];
let lines: string[];

const log: DriverLog = { write: (_level, _stage, line) => void lines.push(line) };

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "slipway-test-")));
  drivers = [];
  lines = [];
});

afterEach(async () => {
  for (const driver of drivers) await driver.shutdownAll({ signal, timeoutMs: 0 });
  await rm(root, { recursive: true, force: true });
});

function openDriver(script: string, options: { directory?: string; table?: ProcessTable } = {}) {
  const driver = new ProcessDriver({
    workspacesDir: join(root, options.directory ?? "workspaces"),
    runtimeDir: join(root, "runtime"),
    users,
    agentCommand: ["/bin/sh", "-c", script],
    programs: {},
    isEnabled: true,
    logger: silentLogger,
    clock: systemClock,
    ...(options.table === undefined ? {} : { table: options.table }),
  });
  drivers.push(driver);
  return driver;
}

function pathTo(...parts: string[]): string {
  return join(root, "workspaces", sampleWorkspaceId, ...parts);
}

async function contentOf(path: string): Promise<string> {
  return vi.waitFor(
    async () => {
      const content = await readFile(path, "utf8");
      if (content === "") throw new Error(`${path} is still empty`);
      return content;
    },
    { timeout: 10_000, interval: 20 },
  );
}

async function placeOf(driver: ProcessDriver, agents = sampleBuild().agents): Promise<string[]> {
  const observed = await driver.observe(
    { workspaceId: sampleWorkspaceId, agents, state: undefined },
    signal,
  );
  return observed.agents.map((agent) => (agent.status === "running" ? agent.place : "absent"));
}

async function markedPids(): Promise<number[]> {
  const processes = await procTable().list();
  return processes
    .filter(({ marks }) => marks?.directory.startsWith(root) === true)
    .map(({ pid }) => pid);
}

/** Returns the name of the program that a process runs; its marks cannot be read while another takes its place. */
async function commandOf(pid: number | undefined): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, "utf8")).trim();
}

describe.each(modes)("%s", (_mode, ofMode) => {
  beforeEach(() => {
    users = ofMode;
  });

  it("starts an agent once, however often it is asked and by whichever server", async () => {
    const driver = openDriver(patientAgent);
    const first = await driver.start(sampleBuild(), log, signal);
    await contentOf(pathTo("home", "notes"));
    const second = await driver.start(sampleBuild(), log, signal);
    const third = await openDriver(patientAgent).start(sampleBuild(), log, signal);
    expect([second, third]).toEqual([first, first]);
    expect(await readFile(pathTo("home", "notes"), "utf8")).toBe("started\n");
    const [record = ""] = await readdir(pathTo("run"));
    expect((await stat(pathTo("run", record))).mode & 0o777).toBe(0o600);
    expect(lines).toContainEqual(
      expect.stringMatching(/^agent main is already running as process \d+$/),
    );
  });

  it("does not start an agent twice when the server was killed before it recorded the first", async () => {
    const driver = openDriver(patientAgent);
    const first = await driver.start(sampleBuild(), log, signal);
    await rm(pathTo("run"), { recursive: true });
    expect(await openDriver(patientAgent).start(sampleBuild(), log, signal)).toEqual(first);
  });

  it("knows an agent that it did not record before it was killed from an earlier one that died", async () => {
    const driver = openDriver("exit 1");
    await driver.start(sampleBuild(), log, signal);
    await vi.waitFor(async () => expect(await placeOf(driver)).toEqual(["absent"]), 10_000);
    const find = async (): Promise<never> => Promise.reject(new Error("killed"));
    const killed = openDriver(patientAgent, { table: { ...procTable(), find } });
    await expect(killed.start(sampleBuild(), log, signal)).rejects.toThrow("killed");
    await contentOf(pathTo("home", "notes"));
    const next = openDriver(patientAgent);
    const before = await placeOf(next);
    await next.start(sampleBuild(), log, signal);
    expect(await placeOf(next)).toEqual(before);
    expect(before).toEqual([expect.stringMatching(/^process \d+$/)]);
  });

  it("installs its programs at the next start if it could not", async () => {
    await writeFile(join(root, "runtime"), "in the way");
    const driver = openDriver(patientAgent);
    await expect(driver.start(sampleBuild(), log, signal)).rejects.toThrow();
    await rm(join(root, "runtime"));
    await driver.start(sampleBuild(), log, signal);
  });

  it("leaves the agent of a claimed workspace running: it has a new id and the old token", async () => {
    const driver = openDriver(patientAgent);
    await driver.start(sampleBuild(), log, signal);
    const before = await placeOf(driver);
    const agents = [sampleAgent("main", { id: "agent-of-the-claim" })];
    await driver.start(sampleBuild({ number: 2, agents }), log, signal);
    expect(await placeOf(driver, agents)).toEqual(before);
  });

  it("ends the agent of an earlier build before it starts that of a new one", async () => {
    const driver = openDriver(patientAgent);
    await driver.start(sampleBuild(), log, signal);
    await contentOf(pathTo("home", "notes"));
    const agents = [sampleAgent("main", { id: "agent-2", token: "token 2" })];
    await driver.start(sampleBuild({ number: 2, agents }), log, signal);
    expect(await placeOf(driver)).toEqual(["absent"]);
    expect(await placeOf(driver, agents)).toEqual([expect.stringMatching(/^process \d+$/)]);
    await vi.waitFor(async () =>
      expect(await readFile(pathTo("home", "notes"), "utf8")).toBe("started\nstopped\nstarted\n"),
    );
  });

  it("gives an agent nothing of the server's environment", async () => {
    process.env["SLIPWAY_SECRET_KEY"] = "do not tell";
    const driver = openDriver(
      `env >"$HOME/.env.new"; mv "$HOME/.env.new" "$HOME/env"; ${patientAgent}`,
    );
    await driver.start(sampleBuild(), log, signal);
    const variables = (await contentOf(pathTo("home", "env"))).trim().split("\n");
    const names = variables.map((variable) => variable.split("=")[0] ?? "");
    // The shell sets these itself.
    const ofTheShell = new Set(["PWD", "OLDPWD", "_", "SHLVL"]);
    expect(names.filter((name) => !ofTheShell.has(name)).toSorted()).toEqual([
      "CODER_AGENT_DEBUG_ADDRESS",
      "CODER_AGENT_DEVCONTAINERS_ENABLE",
      "CODER_AGENT_LOG_DIR",
      "CODER_AGENT_PPROF_ADDRESS",
      "CODER_AGENT_PROMETHEUS_ADDRESS",
      "CODER_AGENT_SCRIPT_DATA_DIR",
      "CODER_AGENT_SOCKET_PATH",
      "CODER_AGENT_TOKEN",
      "CODER_AGENT_URL",
      "HOME",
      "LANG",
      "LOGNAME",
      "PATH",
      "SHELL",
      "SLIPWAY_PROCESS",
      "SLIPWAY_PROCESS_DIR",
      "TMPDIR",
      "USER",
    ]);
    expect(variables).toContain(`HOME=${pathTo("home")}`);
    expect(variables).toContain(`PWD=${pathTo("home")}`);
    expect(variables).toContain("CODER_AGENT_PPROF_ADDRESS=");
    expect((await stat(pathTo("home"))).mode & 0o777).toBe(0o700);
  });

  it("lets an agent stop by itself, and then ends whatever it has left", async () => {
    const driver = openDriver(agentWithChildren);
    await driver.start(sampleBuild(), log, signal);
    await contentOf(pathTo("home", "deaf"));
    await contentOf(pathTo("home", "notes"));
    expect((await markedPids()).length).toBeGreaterThanOrEqual(4);

    const stopped = await driver.stop(sampleBuild({ transition: "stop" }), log, signal);
    expect(await markedPids()).toEqual([]);
    expect(await readFile(pathTo("home", "notes"), "utf8")).toBe("started\nstopped\n");
    expect(await placeOf(driver)).toEqual(["absent"]);
    expect(stopped.resources.map(({ type }) => type)).toEqual(["directory"]);
    // A second stop is not an error.
    await driver.stop(sampleBuild({ transition: "stop" }), log, signal);
  });

  it("ends an agent by force that does not stop in time, and says so", async () => {
    const driver = openDriver(
      `trap "" TERM; ${agentWithChildren.replaceAll(/trap 'echo.*$/gm, "")}`,
    );
    await driver.start(sampleBuild(), log, signal);
    await contentOf(pathTo("home", "notes"));
    await driver.stop(sampleBuild({ limits: { stopTimeoutMs: 100 } }), log, signal);
    expect(await markedPids()).toEqual([]);
    expect(lines).toContainEqual(expect.stringContaining("did not stop within 0.1 s"));
  });

  it("ends what an agent that died has left before it starts it again", async () => {
    const driver = openDriver(
      `setsid sleep 1000 & echo $! >>"$HOME/children"; test -e "$HOME/once" || { echo >"$HOME/once"; exit 1; }; ${patientAgent}`,
    );
    await driver.start(sampleBuild(), log, signal);
    await contentOf(pathTo("home", "once"));
    await vi.waitFor(async () => expect(await placeOf(driver)).toEqual(["absent"]), 10_000);
    const [orphan] = await markedPids();
    await vi.waitUntil(async () => (await commandOf(orphan)) === "sleep");
    await driver.start(sampleBuild(), log, signal);
    await contentOf(pathTo("home", "notes"));
    expect(orphan).toBeGreaterThan(0);
    expect(await markedPids()).not.toContain(orphan);
  });

  it("ends a stop that is waiting when its signal is aborted", async () => {
    const driver = openDriver(`trap "" TERM; echo >"$HOME/notes"; while :; do sleep 0.1; done`);
    await driver.start(sampleBuild(), log, signal);
    const controller = new AbortController();
    const reason = new Error("cancelled");
    const stopping = driver.stop(sampleBuild(), log, controller.signal);
    setImmediate(() => controller.abort(reason));
    await expect(stopping).rejects.toBe(reason);
  });

  it("runs several agents in one home, and ends those of one server only", async () => {
    const agents = [sampleAgent("main"), sampleAgent("side")];
    const driver = openDriver(patientAgent);
    const neighbour = openDriver(patientAgent, { directory: "of-another-server" });
    const result = await driver.start(sampleBuild({ agents }), log, signal);
    await neighbour.start(sampleBuild(), log, signal);
    expect(new Set(await placeOf(driver, agents)).size).toBe(2);
    expect(result.resources.flatMap(({ agentNames }) => agentNames)).toEqual(["main", "side"]);

    await driver.shutdownAll({ signal, timeoutMs: 10_000 });
    expect(await placeOf(driver, agents)).toEqual(["absent", "absent"]);
    expect(await placeOf(neighbour)).toEqual([expect.stringMatching(/^process \d+$/)]);
  });

  it("knows agents by their records where environments cannot be read", async () => {
    const driver = openDriver(agentWithChildren, { table: withoutMarks });
    const first = await driver.start(sampleBuild(), log, signal);
    await contentOf(pathTo("home", "deaf"));
    await contentOf(pathTo("home", "notes"));
    expect(
      await openDriver(agentWithChildren, { table: withoutMarks }).start(
        sampleBuild(),
        log,
        signal,
      ),
    ).toEqual(first);
    await driver.stop(sampleBuild(), log, signal);
    expect(await markedPids()).toEqual([]);
  });

  it("removes the directory of a deleted workspace, read-only parts too, and follows no link out of it", async () => {
    const outside = join(root, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "precious"), "keep");
    const driver = openDriver(patientAgent);
    await driver.start(sampleBuild(), log, signal);
    await symlink(outside, pathTo("home", "link"));
    await mkdir(pathTo("home", "cache", "module"), { recursive: true });
    await chmod(pathTo("home", "cache", "module"), 0o500);
    await chmod(pathTo("home", "cache"), 0o500);

    const deleted = await driver.delete(sampleBuild({ transition: "delete" }), log, signal);
    expect(deleted).toEqual({ state: undefined, resources: [] });
    expect(await readdir(join(root, "workspaces"))).toEqual([]);
    expect(await readdir(outside)).toEqual(["precious"]);
    expect(await markedPids()).toEqual([]);
    await driver.delete(sampleBuild({ transition: "delete" }), log, signal);
  });

  it("refuses a workspace's directory that is a link to somewhere else", async () => {
    const outside = join(root, "outside");
    await mkdir(join(outside, "home"), { recursive: true });
    await mkdir(join(root, "workspaces"));
    await symlink(outside, pathTo());
    const driver = openDriver(patientAgent);
    await expect(driver.start(sampleBuild(), log, signal)).rejects.toMatchObject({
      code: "unsafe-path",
    });
    await expect(driver.delete(sampleBuild(), log, signal)).rejects.toMatchObject({
      code: "unsafe-path",
    });
    expect(await readdir(outside)).toEqual(["home"]);
  });

  it.for(["..", "../outside", "a/b", ""])("refuses the workspace id %j", async (id) => {
    const driver = openDriver(patientAgent);
    const workspace = { ...sampleBuild().workspace, id };
    await expect(driver.delete(sampleBuild({ workspace }), log, signal)).rejects.toMatchObject({
      code: "unsafe-path",
    });
  });

  it("names the program when the agent cannot be started", async () => {
    const driver = new ProcessDriver({
      workspacesDir: join(root, "workspaces"),
      runtimeDir: join(root, "runtime"),
      users,
      agentCommand: ["/no/such/agent"],
      programs: {},
      isEnabled: true,
      logger: silentLogger,
      clock: systemClock,
    });
    await expect(driver.start(sampleBuild(), log, signal)).rejects.toMatchObject({
      name: "DriverError",
      code: "not-startable",
      message: expect.stringContaining("/no/such/agent"),
    });
  });
});
