import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";

import { agents } from "./support/network/agents.ts";
import { commands, InstalledCommand, ourCommand } from "./support/network/commands.ts";
import { digest } from "./support/network/forwarded-ports.ts";
import {
  type NetworkServer,
  type NetworkWorkspace,
  ourServer,
  untilConnected,
} from "./support/network/servers.ts";
import { untilPrinted } from "./support/network/until-printed.ts";
import { patience } from "./support/patience.ts";
import { openSinglePool } from "./support/single-pool.ts";

/* Sessions over the network during events on our server, with each agent and command, ours and stock ones. */

/** The time limit for a session to end after its workspace is replaced. */
const endMs = 60_000;
const typeMs = 500;

const opened = new AsyncDisposableStack();
let homes = "";
let server: NetworkServer;

beforeAll(async () => {
  homes = await mkdtemp(join(tmpdir(), "slipway-events-"));
  opened.defer(() => rm(homes, { recursive: true, force: true }));
  server = opened.use(await ourServer.open());
});
afterAll(() => opened.disposeAsync());

describe.each(agents)("$name", (agentKind) => {
  let workspace: NetworkWorkspace;
  let agent: ChildProcess;

  async function startAgent(token: string): Promise<ChildProcess> {
    const home = await mkdtemp(join(homes, "a-"));
    return agentKind.start({ serverUrl: server.client.serverUrl, token, home });
  }

  beforeAll(async () => {
    workspace = await server.openWorkspace(agentKind.name);
    agent = await startAgent(workspace.token);
    await untilConnected(server.client, workspace.id);
    return () => killed(agent);
  });

  describe.each(commands)("and $name:", (commandKind) => {
    let command: InstalledCommand;
    beforeAll(async () => {
      command = await install(commandKind);
    });

    async function expectShell(name: string): Promise<void> {
      const { code, stderr } = await command.run(["ssh", name], "exit 5\n");
      expect(`${String(code)} ${stderr}`).toMatch(/^5 /);
    }

    it("a command that is killed leaves the workspace to others", async () => {
      const session = await openSession(command, workspace.name);
      await killed(session);
      await expectShell(workspace.name);
    });

    it("two commands at once have all their bytes", async () => {
      const other = await install(ourCommand);
      const echoed = [command, other, command].map(async (one) => {
        const bytes = randomBytes(2_000_000);
        const { bytes: received } = await one.openSsh(workspace.name, "cat", bytes);
        expect(digest(received)).toBe(digest(bytes));
      });
      await Promise.all(echoed);
    });

    it("a session in which something is typed ends with its agent, whose next process is reached", async () => {
      const session = await openSession(command, workspace.name);
      const ended = endOf(session);
      await killed(agent);
      agent = await startAgent(workspace.token);
      // Stock commands keep a silent connection open for hours.
      const typing = setInterval(() => session.stdin?.write("\n"), typeMs);
      expect(await ended.finally(() => clearInterval(typing))).not.toBe(0);
      await expectShell(workspace.name);
    });

    it("a session ends at the claim of its prebuilt workspace, whose owner's command reaches it", async () => {
      const name = `claim-${randomBytes(4).toString("hex")}`;
      const pool = await openSinglePool(server.client, name);
      const waiting = await startAgent(pool.token);
      onTestFinished(() => killed(waiting));
      const ready = { status: "connected", lifecycle: "ready" };
      const untilReadyFor = (owner: string): Promise<void> =>
        vi.waitFor(async () => expect(await pool.look()).toEqual({ owner, ...ready }), patience);
      await untilReadyFor("prebuilds");
      const session = await openSession(command, `prebuilds/${pool.name}`);
      const ended = endOf(session);
      await pool.claim();
      expect(await ended).not.toBe(0);
      // Our command does not wait for an agent that a person may have to start.
      await untilReadyFor("admin");
      await expectShell(name);
    });
  });
});

async function install(kind: typeof ourCommand): Promise<InstalledCommand> {
  const command = await InstalledCommand.install(kind, await mkdtemp(join(homes, "c-")));
  const { serverUrl, headers } = server.client;
  const token = headers["Coder-Session-Token"] ?? "";
  await command.expect(["login", serverUrl, "--token", token]);
  return command;
}

/** Opens a shell in a workspace that runs until its command is killed. */
async function openSession(command: InstalledCommand, workspace: string): Promise<ChildProcess> {
  const child = command.start(["ssh", workspace]);
  // It may have exited before more input is typed.
  child.stdin?.on("error", () => undefined);
  onTestFinished(() => void child.kill("SIGKILL"));
  const printed = untilPrinted(child, /open-42/);
  child.stdin?.write("echo open-$((40 + 2))\n");
  await printed;
  return child;
}

/** Returns the exit code of a command that must exit soon. */
async function endOf(child: ChildProcess): Promise<number | null> {
  const tooLate = new AbortController();
  const late = systemClock.sleep(endMs, tooLate.signal).then(() => {
    throw new Error("the session goes on");
  });
  try {
    await Promise.race([once(child, "exit"), late]);
    return child.exitCode;
  } finally {
    tooLate.abort();
    await late.catch(() => undefined);
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
