import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { getWorkspace } from "@slipway/api/workspaces/routes";
import { silentLogger, systemClock } from "@slipway/runtime";
import { ApiClient } from "@slipway/sdk/http";
import { connectWorkspace } from "@slipway/sdk/workspace";
import {
  buildAgent,
  firstAgent,
  logInAsAdmin,
  makeWorkspace,
  openTestDatabase,
  pushTemplate,
  readAgentToken,
  type ServerProcess,
  startAgentProcess,
  startServerProcess,
  TcpProxy,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

/*
 * What runs under `slipway ssh` ends with a command that is killed, and with nothing less: the agent is told that the
 * command is gone, gives it time to come back, and asks it over the tunnel.
 */

const program = fileURLToPath(import.meta.resolve("@slipway/cli/program"));
const template = "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n";
/** The time in which a client that is gone may come back, and that in which it may answer. */
const [goneMs, answerMs] = [30_000, 10_000];
/** The time for a slow machine: far less than the six minutes of a client that is only silent. */
const slackMs = 90_000;

const opened = new AsyncDisposableStack();
const secret = randomBytes(32).toString("hex");
let directory = "";
let databaseUrl = "";
/** The server that the agent is connected to. */
let lasting: ServerProcess;
let session = "";
let agentId = "";
let echoPort = 0;

async function startServer(port = 0, dataDir?: string): Promise<ServerProcess> {
  const environment = { SLIPWAY_POSTGRES_URL: databaseUrl, SLIPWAY_SECRET_KEY: secret };
  const server = await startServerProcess({
    dataDir: dataDir ?? (await mkdtemp(join(directory, "server-"))),
    port,
    environment,
  });
  opened.defer(() => server.end("SIGKILL"));
  return server;
}

beforeAll(async () => {
  await buildAgent();
  directory = await mkdtemp(join(tmpdir(), "slipway-gone-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  databaseUrl = opened.use(await openTestDatabase(inject("postgresUrl"))).url;
  lasting = await startServer(0, join(directory, "lasting"));
  const client = await logInAsAdmin(lasting.url);
  session = client.headers["Coder-Session-Token"] ?? "";
  const templateId = await pushTemplate(client, "gone", template);
  const { id } = await makeWorkspace(client, "dev", templateId, () => true);
  const token = await readAgentToken(client, id);
  const workspace = await client.call(getWorkspace, { params: { workspace: id } });
  agentId = firstAgent(workspace)?.id ?? "";
  const listener = createServer(
    (socket) => void socket.on("error", () => socket.destroy()).pipe(socket),
  ).listen(0, "127.0.0.1");
  await once(listener, "listening");
  opened.defer(() => void listener.close());
  const address = listener.address();
  if (typeof address === "object") echoPort = address?.port ?? 0;
  const home = join(directory, "agent");
  const agent = await startAgentProcess({ serverUrl: lasting.url, token, home });
  opened.defer(() => void agent.kill("SIGKILL"));
});

afterAll(() => opened.disposeAsync());

/** A shell in the workspace, which tells its process and echoes lines. */
interface Shell {
  readonly command: ChildProcess;
  /** The process in the workspace. */
  readonly pid: number;
  echo(word: string): Promise<void>;
}

async function startShell(url: string, flags: readonly string[] = []): Promise<Shell> {
  const remote = "echo $$; exec cat";
  const words = ["--conditions=@slipway/source", program, "ssh", ...flags, "dev", "--", remote];
  const home = { HOME: directory, CODER_CONFIG_DIR: directory };
  const access = { CODER_URL: url, CODER_SESSION_TOKEN: session };
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

/** A client that reaches the agent directly. */
async function connectDirectly(url: string) {
  const signal = AbortSignal.timeout(5 * 60_000);
  const client = new ApiClient({ serverUrl: url, token: session });
  const options = { client, agentId, disableDirect: false, clock: systemClock, signal };
  const connection = await connectWorkspace({ ...options, logger: silentLogger });
  opened.use(connection);
  const kind = async (): Promise<string> => (await connection.ping(signal)).path.kind;
  await expect.poll(kind, { timeout: slackMs }).toBe("direct");
  const stream = await connection.dial(echoPort, signal);
  return async (word: string): Promise<void> => {
    await stream.write(Buffer.from(word), signal);
    let received = "";
    while (received.length < word.length) {
      const part = await stream.read(signal);
      if (part === undefined) throw new Error("the connection has ended");
      received += Buffer.from(part).toString();
    }
    expect(received).toBe(word);
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
    const doomed = await startServer();
    let [target, isShut] = [doomed, false];
    await using moving = await TcpProxy.open(() => [{ port: Number(new URL(target.url).port) }]);
    await using shut = await TcpProxy.open(() =>
      isShut ? [] : [{ port: Number(new URL(lasting.url).port) }],
    );
    const relayed = ["--disable-direct-connections"];
    const killed = await startShell(lasting.url, relayed);
    const killedDirect = await startShell(lasting.url);
    const asleep = await startShell(lasting.url, relayed);
    const moved = await startShell(moving.url, relayed);
    const echoHidden = await connectDirectly(shut.url);
    for (const { command } of [killed, killedDirect]) command.kill("SIGKILL");
    await doomed.end("SIGKILL");
    target = lasting;
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

    await lasting.end("SIGTERM");
    lasting = await startServer(Number(new URL(lasting.url).port), join(directory, "lasting"));
    // Twice as long as a client that is gone would last.
    await pass(2 * (goneMs + answerMs));
    await Promise.all([asleep.echo("still"), moved.echo("still"), echoHidden("still")]);
    for (const { command } of [asleep, moved]) {
      command.stdin?.end();
      if (command.exitCode === null) await once(command, "exit");
      expect(command.exitCode).toBe(0);
    }
  },
);
