import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { ApiClient } from "@slipway/sdk/http";

import { openEchoService } from "../interop/support/echo-service.ts";
import { type Measurement, printReport } from "./report.ts";
import { type AccessPair, openPairs } from "./support/access-pairs.ts";
import { openBareChain } from "./support/bare-chain.ts";
import {
  type ByteChannel,
  type OpenChannel,
  openRawPty,
  rawTcp,
  sshAt,
  sshOptions,
  terminalsOf,
} from "./support/byte-channel.ts";
import { measureEchoes, measureOutput, openEchoes, untilSeen } from "./support/measure-channels.ts";
import { measureThroughput } from "./support/network-commands.ts";
import { readProcessCost } from "./support/process-cost.ts";
import { quantile } from "./support/quantile.ts";

/*
 * The ways into a workspace as a user feels them: the time from a key to its echo and the throughput of output, in one
 * terminal and in many at once, through the server's WebSocket and over SSH (OpenSSH through a forwarded port), in what is
 * new and in what has run for a while, since V8 compiles in the first seconds of such work; the time
 * from the request to the first output, the memory of an open terminal in server and agent, and scp beside the tunnel that
 * carries it. The floor is a terminal of this machine by node-pty alone, an echo over TCP, and a terminal at the end of a bare
 * chain, which is as many processes as ours that only pass on bytes. SLIPWAY_STOCK_AGENT adds stock agents on our server; with
 * the variables of `support/stock-server.ts`, the first of them on that server too.
 *
 *   npm run bench:access [-- --many=50] [--megabytes=100] [--scp-megabytes=1000] [--json]
 */

function option(name: string, otherwise: number): number {
  return Number(new RegExp(`--${name}=(\\d+)`).exec(process.argv.join(" "))?.[1] ?? otherwise);
}

const many = option("many", 50);
const outputBytes = option("megabytes", 100) * 1_000_000;
const scpBytes = option("scp-megabytes", 1000) * 1_000_000;
const promptRuns = 10;
const sshPort = 1;
const firstLocalPort = 42_300;
const typing = {
  first: { keys: 1_000, everyMs: 10 },
  one: { keys: 1_500, everyMs: 10 },
  many: { keys: 30, everyMs: 100 },
};
/** The output of a terminal that has run for a while, in parts of the first. */
const laterOutput = 4;
const execute = promisify(execFile);

await using opened = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), "slipway-bench-"));
opened.defer(() => rm(directory, { recursive: true, force: true }));
const measurements: Measurement[] = [];

function add(name: string, unit: string, ...runs: readonly number[]): void {
  measurements.push({ name, unit, runs });
}

async function measureWay(name: string, open: OpenChannel): Promise<void> {
  const addTimes = (what: string, times: readonly number[]): void => {
    add(`${name}: ${what}, p50`, "ms", quantile(times, 0.5));
    add(`${name}: ${what}, p99`, "ms", quantile(times, 0.99));
  };
  const [one] = await openEchoes(open, 1);
  if (one === undefined) throw new Error("no channel");
  addTimes("first echoes at 1", await measureEchoes([one], typing.first));
  addTimes("echo at 1", await measureEchoes([one], typing.one));
  await closeAll([one]);
  const channels = await openEchoes(open, many);
  await measureEchoes(channels, { keys: 5, everyMs: 10 });
  addTimes(`echo at ${many}`, await measureEchoes(channels, typing.many));
  await closeAll(channels);
}

async function measureWayOut(name: string, open: OpenChannel): Promise<void> {
  const measure = async (what: string, count: number, bytes: number): Promise<void> =>
    add(`${name}: ${what} at ${count}`, "MB/s", await measureOutput(open, { count, bytes }));
  await measure("first output", 1, outputBytes);
  await measure("output", 1, outputBytes * laterOutput);
  await measure("output", many, outputBytes);
}

async function closeAll(channels: readonly ByteChannel[]): Promise<void> {
  for (const channel of channels) channel.close();
  await Promise.all(channels.map(({ ended }) => ended));
}

async function measurePrompt(name: string, openShell: () => Promise<ByteChannel>): Promise<void> {
  const runs: number[] = [];
  while (runs.length < promptRuns) {
    const startedMs = performance.now();
    const channel = await openShell();
    await untilSeen(channel, "");
    runs.push(performance.now() - startedMs);
    channel.close();
    await channel.ended;
  }
  add(`${name}: first output`, "ms, whole", ...runs);
}

async function measureMemory(
  { name, serverPid, agentPid }: AccessPair,
  open: OpenChannel,
): Promise<void> {
  const read = (): readonly number[] =>
    [serverPid, agentPid].map((pid) =>
      pid === undefined ? Number.NaN : readProcessCost(pid).residentMb,
    );
  const before = read();
  const channels = await openEchoes(open, many);
  const after = read();
  await closeAll(channels);
  for (const [index, place] of ["server", "agent"].entries()) {
    const grown = (after[index] ?? Number.NaN) - (before[index] ?? Number.NaN);
    add(`${name}: memory of a terminal in the ${place}`, "MB", grown / many);
  }
}

const ours = fileURLToPath(import.meta.resolve("@slipway/cli/program"));
const home = join(directory, "command");
await mkdir(home);

/** Our command as a user of a server. */
function commandOf(client: ApiClient) {
  const environment = {
    PATH: process.env["PATH"],
    HOME: home,
    CODER_CONFIG_DIR: home,
    CODER_URL: client.serverUrl,
    CODER_SESSION_TOKEN: client.headers["Coder-Session-Token"],
  };
  return { name: "ours", words: [process.execPath, ours] as const, environment };
}

let localPort = firstLocalPort;

async function forwardSsh({
  client,
  workspace,
}: AccessPair): Promise<{ port: number; child: ChildProcess }> {
  localPort += 1;
  const { words, environment } = commandOf(client);
  const [program, ...first] = words;
  const args = [...first, "port-forward", "--tcp", `${localPort}:${sshPort}`, workspace];
  const child = spawn(program, args, { env: environment, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  const ready = Promise.withResolvers<void>();
  child.stderr.on("data", (text: Buffer) => {
    said += text.toString();
    if (said.includes("Ready")) ready.resolve();
  });
  child.once("exit", () => ready.reject(new Error(`port-forward ended:\n${said}`)));
  await ready.promise;
  return { port: localPort, child };
}

async function measureScp(pair: AccessPair, port: number): Promise<void> {
  const path = join(directory, "file");
  await writeFile(path, "");
  await truncate(path, scpBytes);
  // Whoever reads it first has the kernel make its pages.
  await execute("dd", [`if=${path}`, "of=/dev/null", "bs=1M"]);
  const scp = async (...words: readonly string[]): Promise<number> => {
    const startedMs = performance.now();
    await execute("scp", [...sshOptions, "-P", String(port), ...words]);
    return scpBytes / 1_000 / (performance.now() - startedMs);
  };
  for (const which of ["first scp", "scp"]) {
    const down = await scp(`coder@127.0.0.1:${path}`, "/dev/null");
    add(`${pair.name}: ${which} down`, "MB/s", down);
    add(`${pair.name}: ${which} up`, "MB/s", await scp(path, "coder@127.0.0.1:/dev/null"));
  }
  for (const direction of ["down", "up"] as const) {
    const order = { path: "direct", direction, seconds: 3 } as const;
    const speed = await measureThroughput(commandOf(pair.client), pair.workspace, order);
    add(`${pair.name}: tunnel ${direction}`, "MB/s", speed);
  }
}

async function measureSsh(pair: AccessPair): Promise<void> {
  const { port, child } = await forwardSsh(pair);
  try {
    const name = `${pair.name}: ssh`;
    await measureWay(name, sshAt(port));
    await measureWayOut(name, sshAt(port));
    await measurePrompt(name, () => sshAt(port)("printf ready; exec cat"));
    await measureScp(pair, port);
  } finally {
    child.removeAllListeners("exit");
    child.kill("SIGINT");
    await once(child, "exit");
  }
}

async function measurePair(pair: AccessPair): Promise<void> {
  const terminals = terminalsOf(pair.client, pair.agentId);
  const name = `${pair.name}: terminal`;
  // The first one opens the server's tunnel to the agent.
  await measurePrompt(`${name}, by a new tunnel`, () => terminals(""));
  await measureMemory(pair, terminals);
  await measureWay(name, terminals);
  await measureWayOut(name, terminals);
  await measurePrompt(name, () => terminals(""));
  await measureSsh(pair);
}

const echo = opened.use(await openEchoService());
await measureWay("raw terminal", openRawPty);
await measureWayOut("raw terminal", openRawPty);
await measureWay("raw TCP", rawTcp(echo.port));
const chain = opened.use(await openBareChain());
await measureWay("raw terminal by bare chain", chain.open);
for (const pair of await openPairs(opened, directory)) await measurePair(pair);
printReport("Ways into a workspace", measurements);
