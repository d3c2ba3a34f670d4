import { randomUUID } from "node:crypto";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { openTerminal } from "@slipway/api/agents/pty-routes";
import { getUser } from "@slipway/api/users/routes";
import { ServerTurns } from "@slipway/testkit";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";

import { defineBenchmark } from "./benchmark.ts";
import { Findings } from "./findings.ts";
import { quantile } from "./report.ts";
import type { BareServer } from "./support/bare-server.ts";
import { makeFleet } from "./support/external-fleet.ts";
import { connectMember } from "./support/fleet-member.ts";
import { measureThroughput } from "./support/network-commands.ts";
import { connectedAgent, type NetworkWorld, openNetworkWorld } from "./support/network-world.ts";
import { openDirectory } from "./support/our-server.ts";
import { beginAtRate } from "./support/pacing.ts";
import { openPart } from "./support/part.ts";
import { readProcessCost } from "./support/process-cost.ts";
import type { RelayCrowd } from "./support/relay-crowd.ts";
import type { TerminalViewer } from "./support/terminal-viewer.ts";

/*
 * The cost of a busy network to everyone else on the server: the time of a cheap request and of an agent's metadata
 * call. Both are measured without load; while two peers send as fast as they can over the relay; while a terminal
 * prints endlessly through the server's own peer; with both loads; and while hundreds of strangers send small packets
 * and pings through the relay. The load would run on other machines, so it has the lowest priority here. The floor is
 * a process that only answers.
 *
 * These times include waits for a processor, which dominate on a machine with few processors or with other users. The
 * server's turns do not: they are the processor time that its main thread takes before it handles the next request,
 * relay and own peer included. As root, `chrt --rr 1` before the command separates the two: the server and its
 * callers then never wait, and the load gets the rest.
 *
 *   npm run bench:busy-network [-- --seconds=10] [--json]
 *
 * Exits with 1 when a request or a metadata call under load takes 20 ms or more at the 99th percentile, or one in a
 * thousand of the server's turns takes 5 ms or more.
 */

/** The time to let a load start. */
const warmUpMs = 2_000;
const perSecond = 40;
/** The number of strangers at the relay: the maximum for one address. */
const crowdSize = 400;
const lowestPriority = ["chrt", "--other", "0", "nice", "-n", "19"];
const { signal } = new AbortController();

/** The calls of everyone else, by their names in the report. */
type Calls = Readonly<Record<string, () => Promise<unknown>>>;

export const benchmark = defineBenchmark({
  title: "Busy network",
  options: { seconds: 10 },
  targets: {
    "load: request, p99": 20,
    "load: metadata, p99": 20,
    "load: server's turns, p99.9": 5,
  },
  measure: async ({ options: { seconds }, opened, findings }) => {
    const turns = new ServerTurns(join(await openDirectory(opened), "turns"));
    const { environment } = turns;
    const world = await openNetworkWorld(opened, { launcher: lowestPriority, environment });
    const loads = await openLoads(world, findings, seconds);
    const calls = await openCalls(opened, world);
    const { pid } = world.server;
    const measure = async (load: string, into: Findings): Promise<void> => {
      const name = load === "quiet" ? load : `${load} load`;
      await measureCalls(calls, { name, seconds, pid, turns }, into);
    };
    await measure("warm-up", new Findings());
    await measure("quiet", findings);
    for (const direction of ["up", "down"] as const) {
      await loads.relay(direction, () => measure(`relay ${direction}`, findings));
    }
    await loads.terminal(() => measure("terminal", findings));
    const both = (): Promise<void> => measure("relay down and terminal", findings);
    await loads.terminal(() => loads.relay("down", both));
    await loads.crowd(() => measure("crowd", findings));
  },
});

async function openCalls(opened: AsyncDisposableStack, world: NetworkWorld): Promise<Calls> {
  const { client, server } = world;
  const [played] = await makeFleet(client, 1);
  const member = opened.use(await connectMember(server.url, played?.token ?? "", signal));
  const bare = openPart<BareServer>(opened, "./bare-server.ts");
  const floorUrl = `http://127.0.0.1:${await bare.call("port")}/600`;
  return {
    floor: async () => void (await (await fetch(floorUrl)).text()),
    request: () => client.call(getUser, { params: { user: "me" } }),
    metadata: () => {
      const metadata = [{ key: "a", result: { value: "1\n" } }];
      return member.unary(Agent.method.batchUpdateMetadata, { metadata }, signal);
    },
  };
}

/** Records the times of the calls, and the processor time of the server in the meantime. */
async function measureCalls(
  calls: Calls,
  {
    name,
    seconds,
    pid,
    turns,
  }: {
    readonly name: string;
    readonly seconds: number;
    readonly pid: number;
    readonly turns: ServerTurns;
  },
  findings: Findings,
): Promise<void> {
  const started = performance.now();
  const { cpuSeconds } = readProcessCost(pid);
  turns.take();
  await Promise.all(
    Object.entries(calls).map(async ([what, call]) => {
      const times = await beginAtRate(perSecond, perSecond * seconds, () => timed(call));
      findings.noteTimes(`${name}: ${what}`, times);
    }),
  );
  const found = turns.take();
  for (const [label, part] of [
    ["p99", 0.99],
    ["p99.9", 0.999],
    ["longest", 1],
  ] as const) {
    findings.note(`${name}: server's turns, ${label}`, "ms of processor", quantile(found, part));
  }
  const share = (readProcessCost(pid).cpuSeconds - cpuSeconds) / (performance.now() - started);
  findings.note(`${name}: server's processor time`, "% of one", share * 100_000);
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await call();
  return performance.now() - started;
}

/** Opens loads of the server; each applies while its `act` runs. */
async function openLoads(world: NetworkWorld, findings: Findings, seconds: number) {
  const { client, server } = world;
  const command = await world.openCommand("ours", undefined);
  const relayed = await world.openAgent("relayed", undefined);
  await connectedAgent(client, relayed.workspaceId);
  const watched = await world.openAgent("watched", undefined);
  const watchedId = await connectedAgent(client, watched.workspaceId);
  return {
    /** Makes a command and an agent send as much as they can over the relay. */
    relay: async (direction: "up" | "down", act: () => Promise<void>): Promise<void> => {
      const order = { path: "relay", direction, seconds: seconds + 5 } as const;
      const running = measureThroughput(command, relayed.workspace, order);
      await pause(warmUpMs);
      await act();
      findings.note(`throughput over the relay, ${direction}`, "MB/s", await running);
    },
    /** Makes a terminal print as much as it can. */
    terminal: async (act: () => Promise<void>): Promise<void> => {
      await using opened = new AsyncDisposableStack();
      const params = { agent: watchedId };
      const url = client.url(openTerminal, { params, query: { reconnect: randomUUID() } });
      const token = client.headers["Coder-Session-Token"] ?? "";
      const args = [url.replace("http", "ws"), token, "yes"];
      const viewer = openPart<TerminalViewer>(opened, "./terminal-viewer.ts", { args });
      lowerPriority(viewer);
      await pause(warmUpMs);
      const [before, started] = [await viewer.call("bytes"), performance.now()];
      await act();
      const bytes = (await viewer.call("bytes")) - before;
      const speed = bytes / 1000 / (performance.now() - started);
      findings.note("throughput of the terminal", "MB/s", speed);
    },
    /** Makes many clients without a peer send small frames to each other over the relay. */
    crowd: async (act: () => Promise<void>): Promise<void> => {
      await using opened = new AsyncDisposableStack();
      const args = [new URL(server.url).port, String(crowdSize)];
      const crowd = openPart<RelayCrowd>(opened, "./relay-crowd.ts", { args });
      lowerPriority(crowd);
      await crowd.call("isLoggedIn");
      await act();
    },
  };
}

function lowerPriority({ pid }: { readonly pid: number }): void {
  setPriority(pid, constants.priority.PRIORITY_LOW);
}
