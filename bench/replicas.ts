import { setTimeout as pause } from "node:timers/promises";

import { getWorkspace } from "@slipway/api/workspaces/routes";
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
import { openPart, type Part } from "./support/part.ts";
import { openPlainFetch } from "./support/plain-fetch.ts";
import { Prober } from "./support/prober.ts";
import { openReplicaSet, type Replica, type ReplicaSet } from "./support/replica-set.ts";
import { selectPlace } from "./support/scale-world.ts";

/*
 * Several servers under load: three of them on one PostgreSQL, behind the nginx of the guide, with idle agents, agents
 * that write lines of logs, claims of prebuilds and requests. One server after the other is killed and starts again;
 * then each is stopped and started in turn, as in a rolling upgrade. Measured: log lines and claims that were
 * acknowledged and are not there, workspaces that two requests got, the time until all agents are back, and until every
 * request is answered within 100 ms again.
 *
 *   npm run bench:replicas [-- --agents=1000] [--minutes=2] [--every=20] [--claims=1] [--old=<clone>] [--json]
 *
 * With `--old` the servers start by the command of an older clone, and the rolling upgrade brings this one, which
 * migrates the database while the others still run. Everything shares the machine.
 */

const servers = 3;
const writers = 50;
const downMs = 3_000;
/** The time that a request may take in a calm deployment. */
const barMs = 100;
const warmUpMs = 5_000;

export const benchmark = defineBenchmark({
  title: ({ agents }) => `${servers} servers, ${agents} agents`,
  options: { agents: 1_000, minutes: 2, every: 20, claims: 1, old: "" },
  targets: {
    "acknowledged lines lost": 1,
    "acknowledged claims lost": 1,
    "workspaces claimed twice": 1,
    "requests are fast again": 10,
  },
  measure: async ({ options, opened, findings }) => {
    const { agents, minutes, every, claims: perSecond } = options;
    const clone = options.old === "" ? undefined : options.old;
    const database = await openMeasuredPostgres(opened);
    const set = await openReplicaSet(opened, { databaseUrl: database.url, count: servers, clone });
    const { headers } = await logInAsAdmin(set.url);
    const client = new ApiClient({ serverUrl: set.url, headers, fetch: openPlainFetch() });
    const [made] = await makeFleet(client, 1);
    const place = await selectPlace(database, made?.workspaceId ?? "");
    await fillFleet((statement) => database.query(statement), place, agents + writers);

    const seconds = minutes * 60;
    const needs = { client, database, count: seconds * perSecond };
    const claimer = await Claimer.open(opened, needs);
    const count = agents + writers;
    const tokens = Array.from({ length: count }, (_, index) => fleetAgentToken(index + 1));
    const fleet = await openFleet(opened, set, tokens.slice(writers));
    const logs = openPart<LogWriters>(opened, "./log-writers.ts");
    await logs.call("begin", { url: set.url, tokens: tokens.slice(0, writers) });
    const users = Math.ceil(count / workspacesPerUser);
    const prober = opened.use(new Prober(readers(set, users)));
    await pause(warmUpMs);

    const claiming = claimer.claim(perSecond);
    const world = { set, fleet, agents, everySeconds: every, prober, findings };
    const startedAt = performance.now();
    for (let number = 0; performance.now() - startedAt < seconds * 1_000; number += 1) {
      await strike(world, number, "a kill", (replica) => replica.kill(downMs));
    }
    for (let number = 0; number < servers; number += 1) {
      await strike(world, number, "an upgrade", (replica) => replica.upgrade());
    }
    await claiming;
    await claimer.judge(findings);
    await judgeLines(database, await logs.call("acknowledged"), findings);
    const { times, failed } = prober.since(startedAt);
    findings.noteTimes("a request", times);
    findings.note("requests that failed", "of all", failed / (failed + times.length));
  },
});

interface Struck {
  readonly set: ReplicaSet;
  readonly fleet: readonly Part<IdleFleet>[];
  readonly agents: number;
  readonly everySeconds: number;
  readonly prober: Prober;
  readonly findings: Findings;
}

/** Strikes one of the servers, and measures how the deployment recovers until the next stroke is due. */
async function strike(
  { set: { replicas }, fleet, agents, everySeconds, prober, findings }: Struck,
  number: number,
  name: string,
  act: (replica: Replica) => Promise<void>,
): Promise<void> {
  const replica = replicas[number % replicas.length];
  if (replica === undefined) throw new Error("there are no servers");
  const struckAt = performance.now();
  await Promise.all([act(replica), untilBack(fleet, agents)]);
  findings.note(`all agents back after ${name}`, "s", (performance.now() - struckAt) / 1_000);
  await pause(Math.max(0, struckAt + everySeconds * 1_000 - performance.now()));
  const recoveredMs = prober.recoveredAfter(struckAt, performance.now(), barMs);
  const seconds = recoveredMs === undefined ? Number.POSITIVE_INFINITY : recoveredMs / 1_000;
  findings.note(`${name} → requests are fast again`, "s", seconds);
}

const lookEveryMs = 100;

/** Waits until some agents have lost their connection, and all are connected again. */
async function untilBack(fleet: readonly Part<IdleFleet>[], agents: number): Promise<void> {
  const connected = async (): Promise<number> => {
    const counts = await Promise.all(fleet.map((part) => part.call("connected")));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  while ((await connected()) === agents) await pause(lookEveryMs);
  while ((await connected()) < agents) await pause(lookEveryMs);
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
