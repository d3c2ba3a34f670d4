import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pass } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { silentLogger, systemClock } from "@slipway/runtime";
import { connectWorkspace } from "@slipway/sdk/workspace";
import {
  echoText,
  openReachedWorkspace,
  openTestDatabase,
  type ReachedWorkspace,
  TcpProxy,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

/*
 * Processes under `slipway ssh` end with a command that is killed, and with nothing less: the agent is told that the
 * command is gone, gives it time to return, and probes it over the tunnel.
 */

const program = fileURLToPath(import.meta.resolve("@slipway/cli/program"));
/** The time in which a gone client may return, and the time in which it may respond. */
const [goneMs, answerMs] = [30_000, 10_000];
/** The allowance for a slow machine: far less than the six minutes of a client that is only silent. */
const slackMs = 90_000;

const opened = new AsyncDisposableStack();
let world: ReachedWorkspace;

beforeAll(async () => {
  const { url } = opened.use(await openTestDatabase(inject("postgresUrl")));
  world = opened.use(await openReachedWorkspace({ SLIPWAY_POSTGRES_URL: url }));
});

afterAll(() => opened.disposeAsync());

/** A shell in the workspace, which prints its process id and echoes lines. */
interface Shell {
  readonly command: ChildProcess;
  /** The process in the workspace. */
  readonly pid: number;
  echo(word: string): Promise<void>;
}

async function startShell(url: string, flags: readonly string[] = []): Promise<Shell> {
  const remote = "echo $$; exec cat";
  const words = ["--conditions=@slipway/source", program, "ssh", ...flags, "dev", "--", remote];
  const home = { HOME: world.directory, CODER_CONFIG_DIR: world.directory };
  const access = { CODER_URL: url, CODER_SESSION_TOKEN: world.session };
  const env = { PATH: process.env["PATH"], ...home, ...access };
  const command = spawn(process.execPath, words, { env, stdio: ["pipe", "pipe", "inherit"] });
  opened.defer(() => void command.kill("SIGKILL"));
  let said = "";
  command.stdout.on("data", (text: Buffer) => (said += text.toString()));
  await expect.poll(() => said, { timeout: slackMs }).toMatch(/^\d+\n/);
  const echo = async (word: string): Promise<void> => {
    command.stdin.write(`${word}\n`);
    await expect.poll(() => said, { timeout: slackMs }).toContain(`\n${word}\n`);
  };
  await echo("begun");
  return { command, pid: Number(said.split("\n")[0]), echo };
}

/** A client with a direct path to the agent. */
async function connectDirectly(url: string) {
  const signal = AbortSignal.timeout(5 * 60_000);
  const { agentId, echoPort } = world;
  const client = world.openClient(url);
  const options = { client, agentId, disableDirect: false, clock: systemClock, signal };
  const connection = await connectWorkspace({ ...options, logger: silentLogger });
  opened.use(connection);
  const kind = async (): Promise<string> => (await connection.ping(signal)).path.kind;
  await expect.poll(kind, { timeout: slackMs }).toBe("direct");
  const stream = await connection.dial(echoPort, signal);
  return async (word: string): Promise<void> => {
    expect(await echoText(stream, word, signal)).toBe(word);
  };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it(
  "ends what a killed command runs within a minute, and nothing of others",
  { timeout: 10 * 60_000 },
  async () => {
    const doomed = await world.startReplica();
    let [target, isShut] = [doomed, false];
    await using moving = await TcpProxy.open(() => [{ port: Number(new URL(target.url).port) }]);
    await using shut = await TcpProxy.open(() =>
      isShut ? [] : [{ port: Number(new URL(world.server.url).port) }],
    );
    const relayed = ["--disable-direct-connections"];
    const killed = await startShell(world.server.url, relayed);
    const killedDirect = await startShell(world.server.url);
    const asleep = await startShell(world.server.url, relayed);
    const moved = await startShell(moving.url, relayed);
    const echoHidden = await connectDirectly(shut.url);
    for (const { command } of [killed, killedDirect]) command.kill("SIGKILL");
    await doomed.end("SIGKILL");
    target = world.server;
    // It never reaches the server again.
    isShut = true;
    for (const link of shut.links) link.cut();
    asleep.command.kill("SIGSTOP");
    await pass(20_000);
    asleep.command.kill("SIGCONT");
    await Promise.all([asleep.echo("awake"), moved.echo("moved"), echoHidden("hidden")]);
    expect([killed, killedDirect].map(({ pid }) => isRunning(pid))).toEqual([true, true]);

    const ended = { timeout: goneMs + answerMs + slackMs };
    await expect.poll(() => isRunning(killed.pid), ended).toBe(false);
    await expect.poll(() => isRunning(killedDirect.pid), ended).toBe(false);

    await world.restartServer("SIGTERM");
    // Twice as long as a gone client would last.
    await pass(2 * (goneMs + answerMs));
    await Promise.all([asleep.echo("still"), moved.echo("still"), echoHidden("still")]);
    for (const { command } of [asleep, moved]) {
      command.stdin?.end();
      if (command.exitCode === null) await once(command, "exit");
      expect(command.exitCode).toBe(0);
    }
  },
);
