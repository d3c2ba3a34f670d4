import { setTimeout as pause } from "node:timers/promises";

import { getWorkspace } from "@slipway/api/workspaces/routes";
import { settlesWithin, systemClock } from "@slipway/runtime";
import { ApiClient } from "@slipway/sdk/http";
import {
  fillFleet,
  fleetAgentToken,
  fleetId,
  fleetSessionToken,
  logInAsAdmin,
  workspacesPerUser,
} from "@slipway/testkit";

import { defineBenchmark } from "./benchmark.ts";
import type { Findings } from "./findings.ts";
import { Claimer } from "./support/claimer.ts";
import { makeFleet } from "./support/external-fleet.ts";
import type { IdleFleet } from "./support/idle-fleet.ts";
import type { LogWriters } from "./support/log-writers.ts";
import { type MeasuredPostgres, openMeasuredPostgres } from "./support/measured-postgres.ts";
import { openPart, type Part, wallMs } from "./support/part.ts";
import { openPlainFetch } from "./support/plain-fetch.ts";
import { Prober } from "./support/prober.ts";
import { type MeteredGroup, ProcessMeter } from "./support/process-meter.ts";
import { openReplicaSet, type ReplicaSet } from "./support/replica-set.ts";
import { selectPlace } from "./support/scale-world.ts";

/*
 * Several servers under load: three of them on one PostgreSQL, behind the nginx of the guide, with idle agents, agents
 * that write lines of logs by the product's own client, claims of prebuilds and requests. One server after the other is
 * killed and starts again; in the middle of the time each is stopped and started in turn, as in a rolling upgrade.
 * Measured:
 *
 * - log lines and claims that were acknowledged and are not there, and workspaces that two requests got;
 * - the time until all agents are back, and the most that came back in one second;
 * - the times of requests, 20 a second, before the first kill and while agents return, and the time after each stroke
 *   until the 99th percentile of six seconds is below 100 ms again;
 * - the cores that servers, PostgreSQL, nginx and the simulated agents occupy, and those left idle: everything shares
 *   the machine, which may be the limit.
 *
 *   npm run bench:replicas [-- --agents=1000] [--writers=50] [--minutes=2] [--every=20] [--claims=1] [--full]
 *     [--old=<clone>] [--json]
 *
 * `--full` measures 10,000 agents and 500 writers for 20 minutes, which takes a limit of 20,000 open files.
 *
 * With `--old` the servers start by the command of an older clone, and the rolling upgrade brings this one, which
 * migrates the database while the others still run; the two halves compare the versions. Such a clone has its own node_modules:
 *
 *   git clone . ../older && cd ../older && git checkout <commit before the migration> && npm ci
 */

const servers = 3;
const full = { agents: 10_000, writers: 500, minutes: 20 } as const;
const downMs = 3_000;
/** The time that a request may take in a calm deployment. */
const barMs = 100;
const settleMs = 10_000;
/** The time in which nothing is killed, to compare with. */
const calmMs = 20_000;

export const benchmark = defineBenchmark({
  title: (options) => {
    const { agents, writers, minutes } = sizes(options);
    return `${servers} servers, ${agents} agents and ${writers} that write, ${minutes} min`;
  },
  options: { agents: 1_000, writers: 50, minutes: 2, every: 20, claims: 1, old: "", full: false },
  targets: {
    "acknowledged lines lost": 1,
    "acknowledged claims lost": 1,
    "workspaces claimed twice": 1,
    "agents that did not begin for their owner": 1,
    "requests are fast again": 10,
  },
  measure: async ({ options, opened, findings }) => {
    const { every, claims: perSecond } = options;
    const { agents, writers, minutes } = sizes(options);
    const clone = options.old === "" ? undefined : options.old;
    const database = await openMeasuredPostgres(opened);
    const set = await openReplicaSet(opened, { databaseUrl: database.url, count: servers, clone });
    const { headers } = await logInAsAdmin(set.url);
    const client = new ApiClient({ serverUrl: set.url, headers, fetch: openPlainFetch() });
    const [made] = await makeFleet(client, 1);
    const place = await selectPlace(database, made?.workspaceId ?? "");
    const count = agents + writers;
    await fillFleet((statement) => database.query(statement), place, count);

    const seconds = minutes * 60;
    const claimer = await Claimer.open(opened, { client, database, count: seconds * perSecond });
    const tokens = Array.from({ length: count }, (_, index) => fleetAgentToken(index + 1));
    const fleet = await openFleet(opened, set, tokens.slice(writers));
    const logs = openPart<LogWriters>(opened, "./log-writers.ts");
    await logs.call("begin", { url: set.url, tokens: tokens.slice(0, writers) });
    const prober = opened.use(new Prober(readers(set, Math.ceil(count / workspacesPerUser))));
    const meter = opened.use(new ProcessMeter(groupsOf(set, database)));
    const world: World = { set, fleet, agents, everySeconds: every, prober, meter, findings };
    await pause(settleMs);
    await pause(calmMs);
    noteCalm(world, performance.now() - calmMs);

    const claiming = claimer.claim(perSecond);
    const startedAt = performance.now();
    await killFor(world, seconds / 2, "a kill");
    for (const replica of set.replicas) {
      await strike(world, "an upgrade", () => replica.upgrade());
    }
    await killFor(world, seconds / 2, "a kill after the upgrade");
    await claiming;
    await claimer.judge(findings);
    await judgeLines(database, await logs.call("acknowledged"), findings);
    const times = prober.between(startedAt, performance.now());
    noteRequests(world, "a request, all the time", times);
    const failed = times.filter((ms) => !Number.isFinite(ms)).length;
    findings.note("requests that failed", "of all", failed / times.length);
    for (const [name, mb] of meter.peakMb) findings.note(`peak memory: ${name}`, "MB", mb);
  },
});

type Sizes = Readonly<Record<keyof typeof full, number>>;

function sizes(options: Sizes & { readonly full: boolean }): Sizes {
  return options.full ? full : options;
}

interface World {
  readonly set: ReplicaSet;
  readonly fleet: readonly Part<IdleFleet>[];
  readonly agents: number;
  readonly everySeconds: number;
  readonly prober: Prober;
  readonly meter: ProcessMeter;
  readonly findings: Findings;
}

function groupsOf(set: ReplicaSet, database: MeasuredPostgres): readonly MeteredGroup[] {
  return [
    { name: "servers", pids: () => set.replicas.flatMap(({ pid }) => pid ?? []) },
    { name: "PostgreSQL", pids: () => [database.pid] },
    { name: "nginx", pids: () => [set.proxyPid] },
    // Its other children are the agents.
    { name: "the simulation", pids: () => [process.pid] },
  ];
}

/** Records what requests and processors did since a time at which nothing was killed. */
function noteCalm(world: World, sinceMs: number): void {
  const now = performance.now();
  noteRequests(world, "a request, before the first kill", world.prober.between(sinceMs, now));
  noteCores(world, "before the first kill", sinceMs, now);
}

function noteRequests({ findings }: World, name: string, times: readonly number[]): void {
  findings.noteTimes(name, times, ["ms, p50", "ms, p99"]);
}

function noteCores({ findings, meter }: World, when: string, fromMs: number, untilMs: number) {
  for (const [name, cores] of meter.cores(fromMs, untilMs)) {
    findings.note(`${name}, ${when}`, "cores", cores);
  }
}

/** Kills one server after the other for a time. */
async function killFor(world: World, seconds: number, name: string): Promise<void> {
  const endsAt = performance.now() + seconds * 1_000;
  for (;;) {
    for (const replica of world.set.replicas) {
      if (performance.now() >= endsAt) return;
      await strike(world, name, () => replica.kill(downMs));
    }
  }
}

/** Strikes one of the servers, and measures how the deployment recovers until the next stroke is due. */
async function strike(world: World, name: string, act: () => Promise<void>): Promise<void> {
  const { fleet, agents, everySeconds, prober, findings } = world;
  const struckAt = performance.now();
  const struckAtWall = wallMs();
  const acted = act();
  const back = untilBack(fleet, agents, acted).then(() => performance.now());
  const [backAt] = await Promise.all([back, acted]);
  findings.note(`all agents back after ${name}`, "s", (backAt - struckAt) / 1_000);
  const times = await Promise.all(fleet.map((part) => part.call("connectedSince", struckAtWall)));
  findings.note(`agents back in one second after ${name}`, "agents", mostInASecond(times.flat()));
  noteRequests(world, `a request, agents back after ${name}`, prober.between(struckAt, backAt));
  noteCores(world, `agents back after ${name}`, struckAt, backAt);
  await pause(Math.max(0, struckAt + everySeconds * 1_000 - performance.now()));
  const recoveredMs = prober.recoveredAfter(struckAt, performance.now(), barMs);
  const seconds = recoveredMs === undefined ? Number.POSITIVE_INFINITY : recoveredMs / 1_000;
  findings.note(`${name} → requests are fast again`, "s", seconds);
}

/** Returns the largest number of times that lie in one second. */
function mostInASecond(timesMs: readonly number[]): number {
  const sorted = timesMs.toSorted((one, other) => one - other);
  let first = 0;
  const counts = sorted.map((atMs, index) => {
    while (atMs - (sorted[first] ?? atMs) >= 1_000) first += 1;
    return index - first + 1;
  });
  return Math.max(0, ...counts);
}

const lookEveryMs = 100;

const giveUpMs = 180_000;

/**
 * Waits until the stroke is over, or some agents have lost their connection, and all are connected again: a server that
 * has just started may have none. Throws if they do not return.
 */
async function untilBack(
  fleet: readonly Part<IdleFleet>[],
  agents: number,
  acted: Promise<void>,
): Promise<void> {
  const endsAt = performance.now() + giveUpMs;
  const connected = async (): Promise<number> => {
    const counts = await Promise.all(fleet.map((part) => part.call("connected")));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  while ((await connected()) === agents) {
    if (await settlesWithin(acted, lookEveryMs, systemClock)) break;
  }
  for (let count = await connected(); count < agents; count = await connected()) {
    if (performance.now() > endsAt) {
      throw new Error(`only ${count} of ${agents} agents were back after ${giveUpMs} ms`);
    }
    await pause(lookEveryMs);
  }
}

/** Returns a function that reads a workspace as one user after the other: each has a limit of requests. */
function readers({ url }: ReplicaSet, users: number): () => Promise<unknown> {
  const fetch = openPlainFetch();
  let number = 0;
  return () => {
    number = (number % users) + 1;
    const headers = { "Coder-Session-Token": fleetSessionToken((number % users) + 1) };
    const client = new ApiClient({ serverUrl: url, headers, fetch });
    return client.call(getWorkspace, { params: { workspace: fleetId("workspace", number) } });
  };
}

/** Connects idle agents, in two processes. */
async function openFleet(
  opened: AsyncDisposableStack,
  { url }: ReplicaSet,
  tokens: readonly string[],
): Promise<readonly Part<IdleFleet>[]> {
  const half = Math.ceil(tokens.length / 2);
  const shares = [tokens.slice(0, half), tokens.slice(half)];
  const fleet = shares.map(() => openPart<IdleFleet>(opened, "./idle-fleet.ts"));
  await Promise.all(
    fleet.map((part, index) =>
      part.call("connect", { kind: "quiet agents", url, tokens: shares[index] ?? [] }),
    ),
  );
  return fleet;
}

/** Counts the lines that the writers were told are stored, and those among them that are not. */
async function judgeLines(
  database: MeasuredPostgres,
  acknowledged: readonly number[],
  findings: Findings,
): Promise<void> {
  const ids = acknowledged.map((_, index) => fleetId("agent-2-", index + 1));
  const [row] = await database.query<{ readonly lost: string }>(
    `select count(*) as lost
      from unnest($1::uuid[], $2::int[]) as writer (id, acknowledged),
        generate_series(1, writer.acknowledged) as number
      where not exists (select from workspace_agent_logs as log
        where log.workspace_agent_id = writer.id and log.output = 'line ' || number)`,
    [ids, acknowledged],
  );
  const all = acknowledged.reduce((sum, lines) => sum + lines, 0);
  findings.note("lines acknowledged", "lines", all);
  findings.note("acknowledged lines lost", "lines", Number(row?.lost));
}
