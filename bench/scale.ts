import { setTimeout as pause } from "node:timers/promises";

import { getWorkspace, listWorkspaces } from "@slipway/api/workspaces/routes";
import { fleetAgentToken, fleetId, fleetSessionToken, workspacesPerUser } from "@slipway/testkit";

import { type Bench, defineBenchmark } from "./benchmark.ts";
import type { IdleFleet } from "./support/idle-fleet.ts";
import type { StatementCalls } from "./support/measured-postgres.ts";
import { beginAtRate } from "./support/pacing.ts";
import { openPart, type Part } from "./support/part.ts";
import { readProcessCost } from "./support/process-cost.ts";
import { openScaleWorld, type ScaleWorld } from "./support/scale-world.ts";

/*
 * The cost of a fleet to one server and its database. Half of the workspaces have an agent that is connected and idle:
 * it holds its session with the network's coordination and relay map, answers keep-alives, and reports statistics every
 * 30 s. Measured, in this order:
 *
 * - the server's memory (VmRSS, garbage included), beyond that with a tenth as many agents, and the processor time of
 *   server and database in 30 s in which each agent reports once;
 * - the time of requests, 20 per second: the first page of the list for an owner and for a member, and one workspace;
 * - the database's time for a pass of the scheduler, which finds nothing due;
 * - the time from the server's exit until all agents are back after its restart;
 * - the additional processor time of the server for desktop clients, two per user, each of which watches its user's
 *   workspaces.
 *
 *   npm run bench:scale [-- --workspaces=4000] [--clients=200] [--full] [--json]
 *
 * `--full` measures 20,000 workspaces and 1,000 clients. Each process needs as many open files as
 * there are agents and clients. The agents share the machine.
 */

const full = { workspaces: 20_000, clients: 1_000 } as const;
const requestsPerSecond = 20;
const requests = 200;
/** The period in which statistics of all agents arrive once. */
const seconds = 30;
/** The time until garbage and leftovers of the connections are collected. */
const settleSeconds = 10;

export const benchmark = defineBenchmark({
  title: (options) => {
    const { workspaces, clients } = sizes(options);
    return `${workspaces} workspaces, ${workspaces / 2} agents, ${clients} desktop clients`;
  },
  options: { workspaces: 4_000, clients: 200, full: false },
  targets: {
    "memory an agent": 25,
    "processor of the server, idle": 0.35,
    "an owner, p99": 30,
    "a member, p99": 30,
    "one workspace, p99": 30,
    "pass of the scheduler": 5,
    "all back after a restart": 20,
    "processor of the server, for the clients": 0.1,
  },
  measure: async ({ options, opened, findings }) => {
    const { workspaces, clients } = sizes(options);
    const world = await openScaleWorld(opened, workspaces);
    const bench = { opened, findings };
    const fleets = await measureAgents(bench, world, workspaces / 2);
    await measureRequests(findings, world, workspaces);

    const back = fleets.map((fleet) => fleet.call("reconnected"));
    const startedAt = performance.now();
    await Promise.all([...back, world.restart()]);
    findings.note("all back after a restart", "s", (performance.now() - startedAt) / 1000);
    findings.note("peak memory after a restart", "MB", readProcessCost(world.pid()).peakMb);

    const users = workspaces / workspacesPerUser;
    const sessions = Array.from({ length: clients }, (_, index) =>
      fleetSessionToken((index % users) + 1),
    );
    await measureDesktops(bench, world, sessions);
  },
});

type Sizes = Readonly<Record<keyof typeof full, number>>;
type Tools = Pick<Bench<never>, "opened" | "findings">;

function sizes(options: Sizes & { readonly full: boolean }): Sizes {
  return options.full ? full : options;
}

/** Connects agents, in two processes, and measures them while they are idle. */
async function measureAgents(
  { opened, findings }: Tools,
  world: ScaleWorld,
  agents: number,
): Promise<readonly Part<IdleFleet>[]> {
  const tokens = Array.from({ length: agents }, (_, index) => fleetAgentToken(index + 1));
  const connect = async (share: readonly string[]): Promise<Part<IdleFleet>> => {
    const fleet = openPart<IdleFleet>(opened, "./idle-fleet.ts");
    await fleet.call("connect", { kind: "quiet agents", url: world.url, tokens: share });
    await pause(settleSeconds * 1000);
    return fleet;
  };
  const few = await connect(tokens.slice(0, agents / 10));
  const { residentMb: fewMb } = readProcessCost(world.pid());
  const connectedAt = performance.now();
  const rest = await connect(tokens.slice(agents / 10));
  const connectedMs = performance.now() - connectedAt - settleSeconds * 1000;
  findings.note("all connected", "s", connectedMs / 1000);
  const idle = await measureProcessors(world);
  const addedMb = readProcessCost(world.pid()).residentMb - fewMb;
  findings.note("memory an agent", "KB", (addedMb * 1024) / (agents * 0.9));
  findings.note("processor of the server, idle", "cores", idle.server);
  findings.note("processor of the database, idle", "cores", idle.database);
  return [few, rest];
}

/** Measures lists, a read and the passes of the scheduler meanwhile. */
async function measureRequests(
  findings: Tools["findings"],
  { database, owner, member }: ScaleWorld,
  workspaces: number,
): Promise<void> {
  const statements = await database.countStatements();
  const list = { query: { limit: "25" } };
  const one = { params: { workspace: fleetId("workspace", workspaces) } };
  const note = async (name: string, send: () => Promise<unknown>): Promise<void> => {
    const times = await beginAtRate(requestsPerSecond, requests, async () => {
      const startedAt = performance.now();
      await send();
      return performance.now() - startedAt;
    });
    findings.noteTimes(name, times);
  };
  await note("list for an owner", () => owner.call(listWorkspaces, list));
  await note("list for a member", () => member.call(listWorkspaces, list));
  await note("one workspace", () => owner.call(getWorkspace, one));
  findings.note("pass of the scheduler", "ms", passMs(await statements.list()));
}

/** Connects desktop clients, and measures what they add to the idle agents. */
async function measureDesktops(
  { opened, findings }: Tools,
  world: ScaleWorld,
  tokens: readonly string[],
): Promise<void> {
  const before = await measureProcessors(world);
  const { residentMb } = readProcessCost(world.pid());
  const desktops = openPart<IdleFleet>(opened, "./idle-fleet.ts");
  await desktops.call("connect", { kind: "desktops", url: world.url, tokens });
  await pause(settleSeconds * 1000);
  const after = await measureProcessors(world);
  const addedMb = readProcessCost(world.pid()).residentMb - residentMb;
  findings.note("memory a client", "KB", (addedMb * 1024) / tokens.length);
  const added = Math.max(0, after.server - before.server);
  findings.note("processor of the server, for the clients", "cores", added);
}

/** Measures the processor time of a period, in cores. */
async function measureProcessors({ database, pid }: ScaleWorld) {
  const read = () => ({
    server: readProcessCost(pid()).cpuSeconds,
    database: database.cpuSeconds(),
  });
  const before = read();
  await pause(seconds * 1000);
  const after = read();
  return {
    server: (after.server - before.server) / seconds,
    database: (after.database - before.database) / seconds,
  };
}

/** Returns the database's time for the scheduler's statements, per pass. */
function passMs(statements: readonly StatementCalls[]): number {
  const passes = statements.filter(({ text }) => text.includes("due_at"));
  const ms = passes.reduce((sum, one) => sum + one.ms, 0);
  return ms / Math.max(...passes.map(({ calls }) => calls));
}
