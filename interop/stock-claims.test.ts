import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { logInAsAdmin, type ServerProcess, startServerProcess } from "@slipway/testkit";
import { type Clouds, openClouds, openMachine } from "@slipway/testkit/clouds";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { patience } from "./support/patience.ts";
import { openSinglePool, type SinglePool, type SinglePoolOptions } from "./support/single-pool.ts";
import { StockBox } from "./support/stock-box.ts";
import { type StockProgram, stockPrograms } from "./support/stock-program.ts";

/*
 * Stock agents, whose programs the environment names with `:` between them, wait in pools of our server and are
 * claimed; each of their processes runs its start scripts exactly once for the new owner (docs/claims.md).
 * `vitest.config.ts` leaves this file out, and says so, where SLIPWAY_STOCK_AGENT is not set.
 */

/** The observation time to show that nothing happens again: longer than the minute between notifications of a row. */
const lookOnMs = 80_000;
/** Longer than that minute as well. */
const slowStopSeconds = 75;
/** The time within which the server has certainly sent the notification of a claim. */
const onTheWayMs = 5_000;

const releases = stockPrograms("SLIPWAY_STOCK_AGENT");
const byName = releases.map((release) => [release.name, release] as const);

const opened = new AsyncDisposableStack();
let homes = "";
let clouds: Clouds;
/** A server that runs all the time, and one that is restarted, with its directory. */
let server: ServerProcess;
let restarted: ServerProcess;
let dataDir = "";

beforeAll(async () => {
  homes = await makeDirectory();
  dataDir = await makeDirectory();
  clouds = opened.use(await openClouds());
  const { environment } = clouds;
  server = opened.use(
    await startServerProcess({ dataDir: await makeDirectory(), port: 0, environment }),
  );
  restarted = await startServerProcess({ dataDir, port: 0 });
  opened.defer(() => restarted.end("SIGINT"));
});

afterAll(() => opened.disposeAsync());

describe.concurrent("a claim", { timeout: 600_000 }, () => {
  it.each(byName)("starts %s over once", async (_name, release) => {
    await using waiting = await openWaiting(server, "claim", release);
    await waiting.pool.claim();
    await staysWith(waiting, startedOver(waiting.pid));
  });

  it.each(byName)("starts %s over once, however long it takes to stop", async (_name, release) => {
    await using waiting = await openWaiting(server, "slow-stop", release, {
      stopSeconds: slowStopSeconds,
    });
    await waiting.pool.claim();
    await pause(slowStopSeconds * 1_000);
    await staysWith(waiting, startedOver(waiting.pid));
  });

  it.each(byName)("starts %s over once that is known by its machine", async (name, release) => {
    const machine = `${1000 + releases.findIndex((one) => one.name === name)}`;
    await using service = await openMachine(clouds, "google", machine);
    const { environment } = service;
    await using waiting = await openWaiting(server, "machine", release, { machine, environment });
    await waiting.pool.claim();
    await staysWith(waiting, startedOver(waiting.pid));
    expect(service.asked()).toBeGreaterThan(1);
  });

  it.each(byName)("that %s missed starts it over once it is back", async (_name, release) => {
    await using waiting = await openWaiting(server, "missed", release);
    waiting.box.cut();
    await waiting.pool.claim();
    waiting.box.restore();
    await staysWith(waiting, startedOver(waiting.pid));
  });

  it.each(byName)("of which %s was told in vain is told again", async (_name, release) => {
    await using waiting = await openWaiting(server, "in-vain", release);
    waiting.box.stall();
    await waiting.pool.claim();
    await pause(onTheWayMs);
    waiting.box.cut();
    waiting.box.restore();
    await staysWith(waiting, startedOver(waiting.pid));
  });

  it.each(byName)("lets each process of %s start once", async (_name, release) => {
    await using waiting = await openWaiting(server, "killed", release);
    const { box, pool, pid } = waiting;
    await box.kill();
    await pool.claim();
    const second = await box.start();
    const lines = [`start prebuilds ${pid}`, `start admin ${second}`];
    await staysWith(waiting, lines);
    await box.kill();
    const third = await box.start();
    await staysWith(waiting, [...lines, `start admin ${third}`]);
  });

  it("is not lost with a server that is killed before it was told", async () => {
    await using all = new AsyncDisposableStack();
    const waiting: WaitingAgent[] = [];
    for (const release of releases) {
      waiting.push(all.use(await openWaiting(restarted, "told", release)));
    }
    for (const { box } of waiting) box.cut();
    for (const { pool } of waiting) await pool.claim();
    const port = Number(new URL(restarted.url).port);
    await restarted.end("SIGKILL");
    restarted = await startServerProcess({ dataDir, port });
    for (const { box } of waiting) box.restore();
    await Promise.all(waiting.map((one) => staysWith(one, startedOver(one.pid))));
  });
});

async function makeDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "slipway-stock-"));
  opened.defer(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Logins by server address: the tests run concurrently, and the server checks few passwords of a user concurrently. */
const logins = new Map<string, ReturnType<typeof logInAsAdmin>>();

function adminOf(url: string): ReturnType<typeof logInAsAdmin> {
  const login = logins.get(url) ?? logInAsAdmin(url);
  logins.set(url, login);
  return login;
}

interface WaitingAgent extends AsyncDisposable {
  readonly pool: SinglePool;
  readonly box: StockBox;
  /** The id of the process that is ready for the claim. */
  readonly pid: number;
}

/** Opens a stock agent that has run its start scripts once, as a prebuild's. */
async function openWaiting(
  { url }: ServerProcess,
  what: string,
  { name, path: program }: StockProgram,
  {
    environment,
    ...options
  }: SinglePoolOptions & { readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<WaitingAgent> {
  await using opening = new AsyncDisposableStack();
  const title = `${what}-${name.replaceAll(/[^a-z0-9]+/g, "-")}`;
  const pool = await openSinglePool(await adminOf(url), title, options);
  const home = join(homes, title);
  const box = opening.use(
    await StockBox.open({
      program,
      serverUrl: url,
      token: environment === undefined ? pool.token : undefined,
      home,
      environment,
    }),
  );
  const pid = await box.start();
  await vi.waitFor(async () => expect(await pool.look()).toEqual(readyFor("prebuilds")), patience);
  expect(await box.lines()).toEqual([`start prebuilds ${pid}`]);
  const held = opening.move();
  return { pool, box, pid, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** Waits until exactly these lines exist, and keeps watching. */
async function staysWith({ pool, box }: WaitingAgent, lines: readonly string[]): Promise<void> {
  await vi.waitFor(async () => expect(await box.lines()).toEqual(lines), patience);
  await pause(lookOnMs);
  expect(await box.lines()).toEqual(lines);
  expect(await pool.look()).toEqual(readyFor("admin"));
}

/** Lists the traces of a process that waited and was claimed. */
function startedOver(pid: number): readonly string[] {
  return [`start prebuilds ${pid}`, `stop prebuilds ${pid}`, `start admin ${pid}`];
}

function readyFor(owner: string): object {
  return { owner, status: "connected", lifecycle: "ready" };
}
