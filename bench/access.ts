import { execFile } from "node:child_process";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { openEchoService } from "../interop/support/echo-service.ts";
import { type Bench, defineBenchmark } from "./benchmark.ts";
import { type AccessPair, openPairs } from "./support/access-pairs.ts";
import type { BareChainLink } from "./support/bare-chain-link.ts";
import {
  type ByteChannel,
  type OpenChannel,
  openRawPty,
  rawTcp,
  sshAt,
  sshOptions,
  tcpChannel,
  terminalsOf,
} from "./support/byte-channel.ts";
import { measureEchoes, measureOutput, openEchoes, untilSeen } from "./support/measure-channels.ts";
import { forwardPort, measureThroughput, type ReachCommand } from "./support/network-commands.ts";
import { installCommand } from "./support/network-world.ts";
import { openDirectory } from "./support/our-server.ts";
import { openPart } from "./support/part.ts";
import { readProcessCost } from "./support/process-cost.ts";

/*
 * The ways into a workspace as users experience them: the time from a key to its echo and the throughput of output,
 * in one terminal and in many concurrently, through the server's WebSocket and over SSH (OpenSSH through a forwarded
 * port), both fresh and after a while, because V8 compiles in the first seconds of such work: the first 300 keys of a
 * server and an agent that nothing else has warmed up, later ones of a new way, and those after them; the time from the
 * request to the first output, the memory of an open terminal in server and agent, and scp next to the tunnel that
 * carries it. The floor is a local terminal by node-pty alone, an echo over TCP, and a terminal at the end of a bare
 * chain, which has as many processes as ours that only forward bytes. SLIPWAY_STOCK_AGENT adds stock agents on our
 * server; with the variables of `support/stock-server.ts`, the first of them on that server too.
 *
 *   npm run bench:access [-- --many=50] [--megabytes=100] [--scp-megabytes=1000] [--json]
 */

const defaults = { many: 50, megabytes: 100, "scp-megabytes": 1_000 };
type AccessBench = Bench<typeof defaults>;

const promptRuns = 10;
const sshPort = 1;
const firstLocalPort = 42_300;
const typing = {
  fresh: { keys: 300, everyMs: 15 },
  first: { keys: 1_000, everyMs: 10 },
  one: { keys: 1_500, everyMs: 10 },
  many: { keys: 30, everyMs: 100 },
};
/** The output of a terminal after a while, in multiples of the first output. */
const laterOutput = 4;
const execute = promisify(execFile);

export const benchmark = defineBenchmark({
  title: "Ways into a workspace",
  options: defaults,
  measure: async (bench) => {
    const { opened } = bench;
    const echo = opened.use(await openEchoService());
    await measureWay(bench, "raw terminal", openRawPty);
    await measureOutputs(bench, "raw terminal", openRawPty);
    await measureWay(bench, "raw TCP", rawTcp(echo.port));
    await measureWay(bench, "raw terminal by bare chain", await openBareChain(opened));
    const directory = await openDirectory(opened);
    for (const [index, pair] of (await openPairs(opened)).entries()) {
      await measureTerminals(bench, pair);
      const command = await installCommand(pair.client, { name: "ours", directory });
      await measureSsh(bench, pair, command, firstLocalPort + index + 1);
    }
  },
});

/**
 * Opens the path of a terminal through an empty chain: the viewer, TCP, a process, UDP, a process, a pseudo terminal.
 * It shows the cost of the same number of processes on this machine. The processes end with `opened`.
 */
async function openBareChain(opened: AsyncDisposableStack): Promise<OpenChannel> {
  const start = (...args: readonly string[]): Promise<number> =>
    openPart<BareChainLink>(opened, "./bare-chain-link.ts", { args }).call("port");
  const farPort = await start("far");
  const port = await start("near", String(farPort));
  return (command) => tcpChannel(port, command);
}

async function measureTerminals(bench: AccessBench, pair: AccessPair): Promise<void> {
  const terminals = terminalsOf(pair.client, pair.agentId);
  const name = `${pair.name}: terminal`;
  await measureFresh(bench, name, terminals);
  await measureMemory(bench, pair, terminals);
  await measureWay(bench, name, terminals);
  await measureOutputs(bench, name, terminals);
  await measurePrompt(bench, name, () => terminals(""));
}

/** Measures the first terminal, which opens the server's tunnel to the agent, and its first keys. */
async function measureFresh(
  { findings }: AccessBench,
  name: string,
  open: OpenChannel,
): Promise<void> {
  const startedMs = performance.now();
  const channels = await openEchoes(open, 1);
  const tookMs = performance.now() - startedMs;
  findings.note(`${name}, by a new tunnel: first output`, "ms, whole", tookMs);
  const times = await measureEchoes(channels, typing.fresh);
  findings.noteTimes(`${name}: fresh echoes at 1`, times, ["ms", "ms"]);
  await closeAll(channels);
}

async function measureSsh(
  bench: AccessBench,
  pair: AccessPair,
  command: ReachCommand,
  port: number,
): Promise<void> {
  const forward = { path: "direct", from: port, to: sshPort } as const;
  await using _ = await forwardPort(command, pair.workspace, forward);
  const name = `${pair.name}: ssh`;
  await measureWay(bench, name, sshAt(port));
  await measureOutputs(bench, name, sshAt(port));
  await measurePrompt(bench, name, () => sshAt(port)("printf ready; exec cat"));
  await measureScp(bench, pair, port);
  for (const direction of ["down", "up"] as const) {
    const order = { path: "direct", direction, seconds: 3 } as const;
    const speed = await measureThroughput(command, pair.workspace, order);
    bench.findings.note(`${pair.name}: tunnel ${direction}`, "MB/s", speed);
  }
}

async function measureWay(
  { options: { many }, findings }: AccessBench,
  name: string,
  open: OpenChannel,
): Promise<void> {
  const noteTimes = (what: string, times: readonly number[]): void =>
    findings.noteTimes(`${name}: ${what}`, times, ["ms", "ms"]);
  const [one] = await openEchoes(open, 1);
  if (one === undefined) throw new Error("no channel");
  noteTimes("first echoes at 1", await measureEchoes([one], typing.first));
  noteTimes("echo at 1", await measureEchoes([one], typing.one));
  await closeAll([one]);
  const channels = await openEchoes(open, many);
  await measureEchoes(channels, { keys: 5, everyMs: 10 });
  noteTimes(`echo at ${many}`, await measureEchoes(channels, typing.many));
  await closeAll(channels);
}

async function measureOutputs(
  { options: { many, megabytes }, findings }: AccessBench,
  name: string,
  open: OpenChannel,
): Promise<void> {
  for (const [what, count, parts] of [
    ["first output", 1, 1],
    ["output", 1, laterOutput],
    ["output", many, 1],
  ] as const) {
    const speed = await measureOutput(open, { count, bytes: megabytes * 1_000_000 * parts });
    findings.note(`${name}: ${what} at ${count}`, "MB/s", speed);
  }
}

async function measurePrompt(
  { findings }: AccessBench,
  name: string,
  openShell: () => Promise<ByteChannel>,
): Promise<void> {
  for (let run = 0; run < promptRuns; run += 1) {
    const startedMs = performance.now();
    const channel = await openShell();
    await untilSeen(channel, "");
    findings.note(`${name}: first output`, "ms, whole", performance.now() - startedMs);
    await closeAll([channel]);
  }
}

async function measureMemory(
  { options: { many }, findings }: AccessBench,
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
    findings.note(`${name}: memory of a terminal in the ${place}`, "MB", grown / many);
  }
}

async function measureScp(
  { options, findings, opened }: AccessBench,
  { name }: AccessPair,
  port: number,
): Promise<void> {
  const bytes = options["scp-megabytes"] * 1_000_000;
  const path = join(await openDirectory(opened), "file");
  await writeFile(path, "");
  await truncate(path, bytes);
  // The first read makes the kernel create the pages.
  await execute("dd", [`if=${path}`, "of=/dev/null", "bs=1M"]);
  const scp = async (...words: readonly string[]): Promise<number> => {
    const startedMs = performance.now();
    await execute("scp", [...sshOptions, "-P", String(port), ...words]);
    return bytes / 1_000 / (performance.now() - startedMs);
  };
  for (const which of ["first scp", "scp"]) {
    const down = await scp(`coder@127.0.0.1:${path}`, "/dev/null");
    findings.note(`${name}: ${which} down`, "MB/s", down);
    const up = await scp(path, "coder@127.0.0.1:/dev/null");
    findings.note(`${name}: ${which} up`, "MB/s", up);
  }
}

async function closeAll(channels: readonly ByteChannel[]): Promise<void> {
  for (const channel of channels) channel.close();
  await Promise.all(channels.map(({ ended }) => ended));
}
