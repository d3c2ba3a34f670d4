import { type ChildProcess, fork, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { constants, setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { openTerminal } from "@slipway/api/agents/pty-routes";
import { getAgent } from "@slipway/api/agents/routes";
import { getUser } from "@slipway/api/users/routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import { firstAgent, ServerTurns } from "@slipway/testkit";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";

import { printReport } from "./report.ts";
import { beginAtRate } from "./support/at-rate.ts";
import { makeFleet } from "./support/external-fleet.ts";
import { Findings } from "./support/findings.ts";
import { connectMember } from "./support/fleet-member.ts";
import { measureThroughput } from "./support/network-commands.ts";
import { openNetworkWorld, type ReachedWorkspace } from "./support/network-world.ts";
import { readProcessCost } from "./support/process-cost.ts";
import { quantile } from "./support/quantile.ts";

/*
 * The cost of a busy network to everybody else on the server: the time of a request that does little, and of an agent's
 * metadata, first without load, then while two peers send as much as they can over the relay, while a terminal prints without end
 * through the server's own peer, while both do, and while hundreds of strangers send small packets and pings through the relay. What makes the load would run elsewhere, so it has the lowest priority here, and the
 * server as much of the machine as it wants. A process that only answers is the floor.
 *
 * These times hold the waits for a processor, which a machine with few of them, or with other users, makes longer than all
 * else. The server's turns do not: they are the processor time that its main thread takes before it looks at anybody else's
 * request again, relay and own peer included. As root, `chrt --rr 1` before the command keeps both apart: the server and its
 * callers then wait for nobody, and the load gets what they leave.
 *
 *   npm run bench:busy-network [-- --seconds=10] [--json]
 *
 * Ends with 1 when a request or a metadata call under load takes 20 ms or more at the 99th percentile, or one turn in a
 * thousand of the server 5 ms or more.
 */

function option(name: string, otherwise: number): number {
  return Number(new RegExp(`--${name}=(\\d+)`).exec(process.argv.join(" "))?.[1] ?? otherwise);
}

const seconds = option("seconds", 10);
/** The time for a load to be under way. */
const warmUpMs = 2_000;
const perSecond = 40;
const targetMs = 20;
const turnTargetMs = 5;
/** The strangers at the relay, as many as one address may have. */
const crowdSize = 400;
const lowestPriority = ["chrt", "--other", "0", "nice", "-n", "19"];
const { signal } = new AbortController();

await using opened = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), "slipway-bench-"));
opened.defer(() => rm(directory, { recursive: true }));
const turns = new ServerTurns(join(directory, "turns"));
const world = opened.use(await openNetworkWorld(lowestPriority, turns.environment));
const { client, server } = world;
const command = await world.openCommand("ours", undefined);
const relayed = await openAgent("relayed");
const watched = await openAgent("watched");
const [played] = await makeFleet(client, 1);
const member = opened.use(await connectMember(server.url, played?.token ?? "", signal));
const floorUrl = await openFloor();
const findings = new Findings();

await measure("warm-up", new Findings());
await measure("quiet", findings);
for (const direction of ["up", "down"] as const) {
  await besideRelay(direction, () => measure(`relay ${direction}`, findings));
}
await besideTerminal(() => measure("terminal", findings));
await besideTerminal(() => besideRelay("down", () => measure("relay down and terminal", findings)));
await besideCrowd(() => measure("crowd", findings));
const { measurements, missed } = findings.against({
  "load: request, p99": targetMs,
  "load: metadata, p99": targetMs,
  "load: server's turns, p99.9": turnTargetMs,
});
printReport("Busy network", measurements);
if (missed.length > 0) process.exitCode = 1;

async function openAgent(name: string): Promise<ReachedWorkspace> {
  const workspace = await world.openAgent(name, undefined);
  const params = { agent: await agentIdOf(workspace) };
  while ((await client.call(getAgent, { params })).status !== "connected") await pause(100);
  return workspace;
}

async function agentIdOf({ workspaceId: workspace }: ReachedWorkspace): Promise<string> {
  return firstAgent(await client.call(getWorkspace, { params: { workspace } }))?.id ?? "";
}

/** Starts a process that only answers requests; resolves to its URL. */
async function openFloor(): Promise<string> {
  const program = fileURLToPath(new URL("support/bare-server.ts", import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  opened.defer(() => void child.kill());
  const [port] = await once(createInterface(child.stdout), "line");
  return `http://127.0.0.1:${String(port)}/600`;
}

/** Notes the times of the calls of everybody else, and the processor time of the server meanwhile. */
async function measure(load: string, into: Findings): Promise<void> {
  const started = performance.now();
  const { cpuSeconds } = readProcessCost(server.pid);
  turns.take();
  const calls = {
    floor: async () => void (await (await fetch(floorUrl)).text()),
    request: () => client.call(getUser, { params: { user: "me" } }),
    metadata: () => {
      const metadata = [{ key: "a", result: { value: "1\n" } }];
      return member.unary(Agent.method.batchUpdateMetadata, { metadata }, signal);
    },
  };
  const name = load === "quiet" ? load : `${load} load`;
  await Promise.all(
    Object.entries(calls).map(async ([what, call]) => {
      const times = await beginAtRate(perSecond, perSecond * seconds, () => timed(call));
      into.noteTimes(`${name}: ${what}`, times);
    }),
  );
  const found = turns.take();
  for (const [label, part] of [
    ["p99", 0.99],
    ["p99.9", 0.999],
    ["longest", 1],
  ] as const) {
    into.note(`${name}: server's turns, ${label}`, "ms of processor", quantile(found, part));
  }
  const share =
    (readProcessCost(server.pid).cpuSeconds - cpuSeconds) / (performance.now() - started);
  into.note(`${name}: server's processor time`, "% of one", share * 100_000);
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await call();
  return performance.now() - started;
}

/** Runs `act` while a command and an agent send as much as they can over the relay. */
async function besideRelay(direction: "up" | "down", act: () => Promise<void>): Promise<void> {
  const order = { path: "relay", direction, seconds: seconds + 5 } as const;
  const running = measureThroughput(command, relayed.workspace, order);
  await pause(warmUpMs);
  await act();
  findings.note(`throughput over the relay, ${direction}`, "MB/s", await running);
}

/** Runs `act` while many clients without a peer send small frames to each other over the relay. */
async function besideCrowd(act: () => Promise<void>): Promise<void> {
  const program = new URL("support/relay-crowd.ts", import.meta.url);
  const crowd = fork(program, [new URL(server.url).port, String(crowdSize)]);
  opened.defer(() => void crowd.kill());
  setPriority(crowd.pid ?? 0, constants.priority.PRIORITY_LOW);
  await once(crowd, "message");
  await act();
  crowd.kill();
}

/** Runs `act` while a terminal prints as much as it can. */
async function besideTerminal(act: () => Promise<void>): Promise<void> {
  const viewer = await openViewer();
  await pause(warmUpMs);
  const [before, started] = [await bytesOf(viewer), performance.now()];
  await act();
  const bytes = (await bytesOf(viewer)) - before;
  findings.note("throughput of the terminal", "MB/s", bytes / 1000 / (performance.now() - started));
  viewer.kill();
}

async function openViewer(): Promise<ChildProcess> {
  const url = client.url(openTerminal, {
    params: { agent: await agentIdOf(watched) },
    query: { reconnect: randomUUID() },
  });
  const program = new URL("support/terminal-viewer.ts", import.meta.url);
  const token = client.headers["Coder-Session-Token"] ?? "";
  const viewer = fork(program, [url.replace("http", "ws"), token, "yes"]);
  opened.defer(() => void viewer.kill());
  setPriority(viewer.pid ?? 0, constants.priority.PRIORITY_LOW);
  return viewer;
}

async function bytesOf(viewer: ChildProcess): Promise<number> {
  viewer.send("bytes");
  const [bytes] = await once(viewer, "message");
  return Number(bytes);
}
