import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseProcStatus, systemClock } from "@slipway/runtime";
import {
  logInAsAdmin,
  makeWorkspace,
  openTestDatabase,
  pushTemplate,
  requireAgent,
  type ServerProcess,
  startServerProcess,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { TerminalViewer } from "../support/terminal-viewer.ts";

/* A program prints endlessly to a viewer that does not read, for a minute. */

const template = `
driver: process
agents:
  main: { os: linux, arch: amd64 }
`;
const minuteMs = 60_000;
/** The growth of a server for other reasons, such as compiled code. */
const flatKb = 32 * 1024;
const maxEchoMs = 30;

const opened = new AsyncDisposableStack();
let server: ServerProcess;
let headers: Readonly<Record<string, string>> = {};
let agentId = "";

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-flow-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const environment = { SLIPWAY_POSTGRES_URL: database.url };
  server = opened.use(await startServerProcess({ dataDir, port: 0, environment }));
  const admin = await logInAsAdmin(server.url);
  ({ headers } = admin);
  const templateId = await pushTemplate(admin, "flow", template);
  const isReady = ({ status }: { readonly status: string }): boolean => status === "connected";
  agentId = requireAgent(await makeWorkspace(admin, "flow", templateId, isReady)).id;
});

afterAll(() => opened.disposeAsync());

async function open(command: string): Promise<TerminalViewer> {
  const viewer = new TerminalViewer({ url: server.url, headers, agentId, query: { command } });
  await viewer.sees(/ready/);
  return viewer;
}

/** Types keys one at a time for a while; returns the times until their echoes, shortest first. */
async function typeFor(viewer: TerminalViewer, ms: number): Promise<number[]> {
  const times: number[] = [];
  const endAt = performance.now() + ms;
  while (performance.now() < endAt) {
    viewer.seen = "";
    const startedAt = performance.now();
    const echoed = new Promise((resolve) => viewer.socket.once("message", resolve));
    viewer.send({ data: "x" });
    await echoed;
    times.push(performance.now() - startedAt);
    await systemClock.sleep(10, new AbortController().signal);
  }
  return times.toSorted((one, next) => one - next);
}

function percentile(times: readonly number[], share: number): number {
  return times[Math.floor(times.length * share)] ?? Number.NaN;
}

function residentKb(): number {
  return parseProcStatus(readFileSync(`/proc/${server.pid}/status`, "utf8"), "VmRSS") ?? Number.NaN;
}

it(
  "a viewer that does not read for a minute costs the server nothing, and others no time",
  { timeout: 3 * minuteMs },
  async () => {
    const typist = await open("stty raw -echo; echo ready; cat");
    const quiet = await typeFor(typist, minuteMs / 6);
    const idle = await open("echo ready; exec yes");
    idle.socket.pause();
    await typeFor(typist, minuteMs / 6);
    const before = residentKb();
    const disturbed = await typeFor(typist, minuteMs);
    expect(residentKb() - before).toBeLessThan(flatKb);
    idle.seen = "";
    idle.socket.resume();
    await expect.poll(() => idle.seen.length).toBeGreaterThan(1_000_000);
    idle.socket.terminate();
    // A busy machine is slow even without the other viewer, before or after.
    const quietAfter = await typeFor(typist, minuteMs / 6);
    const slowest = Math.max(percentile(quiet, 0.99), percentile(quietAfter, 0.99));
    expect(percentile(disturbed, 0.99)).toBeLessThan(Math.max(maxEchoMs, 3 * slowest));
  },
);
