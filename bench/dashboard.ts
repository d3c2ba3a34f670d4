import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

import { watchInboxNotifications } from "@slipway/api/notifications/routes";
import {
  listWorkspaces,
  renameWorkspace,
  updateAutomaticUpdates,
} from "@slipway/api/workspaces/routes";
import { watchWorkspaces } from "@slipway/api/workspaces/watch-routes";
import { buildAgent, fleetSessionToken, makeWorkspace, pushTemplate } from "@slipway/testkit";
import type { Page } from "playwright-core";
import { WebSocket } from "ws";

import { type Bench, defineBenchmark } from "./benchmark.ts";
import { quantile } from "./report.ts";
import {
  countSockets,
  echoTimes,
  frameTimes,
  openBrowser,
  type OpenContext,
  openList,
  openPlainLines,
  scrollFrames,
  shownAt,
} from "./support/dashboard-browser.ts";
import { readProcessCost } from "./support/process-cost.ts";
import { openScaleWorld, type ScaleWorld } from "./support/scale-world.ts";

/*
 * What a person waits for in the dashboard, in Chromium on this machine, and what open dashboards cost an idle server:
 * the list of many workspaces, a change until it is seen, a terminal's echo both ways, and the sockets of ten tabs. The
 * floors are pages that do nothing: plain lines that scroll, and a key until the next frame.
 *
 *   npm run bench:dashboard [-- --workspaces=10000] [--dashboards=200] [--seconds=30] [--keys=300] [--json]
 */

const template = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";
const name = "bench";
const runs = 5;
const changes = 20;
const frames = 300;
/** The pixels of a frame: a wheel that is turned fast, and a page that is flung past 250 rows a second. */
const paces = [
  ["scrolled", 60],
  ["flung", 240],
] as const;
/** More than are scrolled over. */
const plainLines = 2_000;
const tabs = 10;
/** A list that is open is read again at this interval, in milliseconds. */
const repeatMs = 120_000;
/** The time between two changes, in milliseconds: less than the second in which a list is read once. */
const changeDelayMs = 300;

export const benchmark = defineBenchmark({
  title: ({ workspaces }) => `The dashboard of ${workspaces} workspaces`,
  options: { workspaces: 10_000, dashboards: 200, seconds: 30, keys: 300 },
  targets: {
    "first row": 1_000,
    "list, scrolled, a frame, p95": 17,
    "seen on its page, p99": 200,
    "seen in the list, p99": 200,
    "echo through the server, p99": 20,
    "echo end-to-end encrypted, p99": 20,
    "added to the server": 5,
    "sockets of one workspace": 2,
  },
  measure: async (bench) => {
    const { opened, options } = bench;
    const world = await openScaleWorld(opened, options.workspaces);
    await measureDashboards(bench, world);
    await buildAgent();
    const templateId = await pushTemplate(world.owner, "box", template);
    const { id } = await makeWorkspace(
      world.owner,
      name,
      templateId,
      ({ lifecycle_state: state }) => state === "ready",
    );
    const openContext = await openBrowser(opened, world.owner);
    await measureList(bench, openContext);
    await measureChanges(bench, world, openContext, id);
    await measureTerminal(bench, openContext);
    await measureTabs(bench, openContext);
  },
});

type Options = { workspaces: number; dashboards: number; seconds: number; keys: number };

/** Measures what open lists of as many users add to an idle server and its database; what follows is measured without them. */
async function measureDashboards(
  { findings, options: { dashboards, seconds } }: Bench<Options>,
  world: ScaleWorld,
): Promise<void> {
  const { owner, database, pid } = world;
  const measure = async (): Promise<{ readonly server: number; readonly database: number }> => {
    const [server, tables] = [readProcessCost(pid()).cpuSeconds, database.cpuSeconds()];
    await pause(seconds * 1000);
    return {
      server: ((readProcessCost(pid()).cpuSeconds - server) * 100) / seconds,
      database: ((database.cpuSeconds() - tables) * 100) / seconds,
    };
  };
  const idle = await measure();
  using opened = new DisposableStack();
  const ended = new AbortController();
  opened.defer(() => ended.abort());
  for (let number = 1; number <= dashboards; number += 1) {
    const headers = { "Coder-Session-Token": fleetSessionToken(number) };
    for (const route of [watchWorkspaces, watchInboxNotifications]) {
      const socket = new WebSocket(owner.url(route, {}).replace("http", "ws"), { headers });
      await once(socket, "open");
      opened.defer(() => socket.terminate());
    }
    void readAgain(owner.url(listWorkspaces, { query: { q: "owner:me", limit: "100" } }), {
      headers,
      firstMs: (number * repeatMs) / dashboards,
      signal: ended.signal,
    });
  }
  // What their connections cost is not what they cost open.
  await pause(2_000);
  const open = await measure();
  findings.note("idle server", "% of a core", idle.server);
  findings.note(
    `${dashboards} dashboards, added to the server`,
    "% of a core",
    open.server - idle.server,
  );
  findings.note(
    `${dashboards} dashboards, added to the database`,
    "% of a core",
    open.database - idle.database,
  );
}

interface Reading {
  readonly headers: Readonly<Record<string, string>>;
  /** The time before the first read, in milliseconds. */
  readonly firstMs: number;
  readonly signal: AbortSignal;
}

/** Reads an address at the interval of an open list, until the signal aborts. */
async function readAgain(url: string, { headers, firstMs, signal }: Reading): Promise<void> {
  try {
    for (let waitMs = firstMs; ; waitMs = repeatMs) {
      await pause(waitMs, undefined, { signal });
      await (await fetch(url, { headers, signal })).text();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Measures the list of all workspaces: in a browser that has nothing of it, and while it scrolls. */
async function measureList({ findings }: Bench<Options>, openContext: OpenContext): Promise<void> {
  const measureScroll = async (what: string, page: Page): Promise<void> => {
    for (const [pace, pixels] of paces) {
      const lengths = await scrollFrames(page, { count: frames, pixels });
      const seconds = lengths.reduce((sum, ms) => sum + ms, 0) / 1000;
      findings.note(`${what}, ${pace}, frames a second`, "frames", lengths.length / seconds);
      findings.note(`${what}, ${pace}, a frame, p95`, "ms", quantile(lengths, 0.95));
    }
  };
  const plain = await openPlainLines(openContext, plainLines);
  await measureScroll("plain lines", plain);
  await plain.context().close();
  for (let run = 0; run <= runs; run += 1) {
    const { page, firstRowMs } = await openList(openContext, "/workspaces?q=");
    // The first one warms the server up.
    if (run > 0) findings.note("list, first row", "ms", firstRowMs);
    if (run === runs) await measureScroll("list", page);
    await page.context().close();
  }
}

/** Measures changes of a workspace by somebody else, from the request until a page shows them. */
async function measureChanges(
  { findings }: Bench<Options>,
  { owner }: ScaleWorld,
  openContext: OpenContext,
  workspace: string,
): Promise<void> {
  const context = await openContext();
  const measure = async (
    page: Page,
    change: (number: number) => Promise<string>,
  ): Promise<readonly number[]> => {
    const times: number[] = [];
    for (let number = 0; number < changes; number += 1) {
      const at = Date.now();
      const text = await change(number);
      times.push((await shownAt(page, text)) - at);
      await pause(changeDelayMs);
    }
    return times;
  };
  const page = await context.newPage();
  await page.goto(`/@admin/${name}`);
  await page.getByText("Manual").waitFor();
  const onPage = await measure(page, async (number) => {
    const isAlways = number % 2 === 0;
    await owner.call(updateAutomaticUpdates, {
      params: { workspace },
      body: { automatic_updates: isAlways ? "always" : "never" },
    });
    return isAlways ? "Automatic" : "Manual";
  });
  findings.noteTimes("a change, seen on its page", onPage);
  await page.goto("/workspaces");
  await page.getByRole("link", { name, exact: true }).waitFor();
  const inList = await measure(page, async (number) => {
    const next = number === changes - 1 ? name : `${name}-${number}`;
    await owner.call(renameWorkspace, { params: { workspace }, body: { name: next } });
    return next;
  });
  findings.noteTimes("a change, seen in the list", inList);
  await context.close();
}

/** Measures the echo of a terminal's keys, both ways. */
async function measureTerminal(
  { findings, options: { keys } }: Bench<Options>,
  openContext: OpenContext,
): Promise<void> {
  const empty = await (await openContext()).newPage();
  findings.noteTimes("a key until the next frame", await frameTimes(empty, keys));
  await empty.context().close();
  for (const isEncrypted of [false, true]) {
    const context = await openContext();
    const page = await context.newPage();
    if (!isEncrypted) {
      await page.route("**/workspaceagents/*/connection", (route) => route.abort());
    }
    await page.goto(`/@admin/${name}/terminal`);
    const lock = isEncrypted ? "End-to-end encrypted" : "Not end-to-end encrypted";
    await page.getByRole("button", { name: lock, exact: true }).waitFor();
    const way = isEncrypted ? "end-to-end encrypted" : "through the server";
    findings.noteTimes(`echo ${way}`, await echoTimes(page, keys));
    await context.close();
  }
}

/** Counts the sockets of several tabs that show one workspace. */
async function measureTabs({ findings }: Bench<Options>, openContext: OpenContext): Promise<void> {
  const context = await openContext();
  const sockets = countSockets(context);
  for (let tab = 0; tab < tabs; tab += 1) {
    const page = await context.newPage();
    await page.goto(`/@admin/${name}`);
    await page.getByText("Connected, started and reached by the server.").waitFor();
  }
  const watches = [...sockets].filter(({ url }) => new URL(url).pathname.endsWith("/watch-ws"));
  findings.note(`${tabs} tabs, sockets of one workspace`, "sockets", watches.length);
  findings.note(`${tabs} tabs, all sockets`, "sockets", sockets.size);
  await context.close();
}
