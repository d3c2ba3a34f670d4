import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import {
  logInAsAdmin,
  makeWorkspace,
  openTestDatabase,
  pushTemplate,
  requireAgent,
  startServerProcess,
  TcpProxy,
} from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";

import { ApiClient } from "../../src/http.ts";
import { TerminalClient, type TerminalChange } from "../../src/terminal.ts";

/* Terminals in a workspace with our agent whose connections to the server break. */

const template = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";

const opened = new AsyncDisposableStack();
let proxy: TcpProxy;
let client: ApiClient;
let agentId = "";
/** False while the server is unreachable. */
let isReachable = true;

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-terminal-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const environment = { SLIPWAY_POSTGRES_URL: database.url };
  const server = opened.use(await startServerProcess({ dataDir, port: 0, environment }));
  const admin = await logInAsAdmin(server.url);
  const templateId = await pushTemplate(admin, "terminals", template);
  const isReady = ({ status }: { readonly status: string }): boolean => status === "connected";
  agentId = requireAgent(await makeWorkspace(admin, "terminals", templateId, isReady)).id;
  const port = Number(new URL(server.url).port);
  proxy = opened.use(await TcpProxy.open(() => (isReachable ? [{ port }] : [])));
  const token = admin.headers["Coder-Session-Token"] ?? "";
  client = new ApiClient({ serverUrl: proxy.url, token });
});

afterAll(() => opened.disposeAsync());

/** A terminal that is read to its end, and the result. */
class Reader {
  readonly terminal: TerminalClient;
  readonly hash = createHash("sha256");
  readonly changes: Exclude<TerminalChange, { readonly type: "output" }>[] = [];
  readonly ended: Promise<void>;
  bytes = 0;
  /** The end of the text. */
  text = "";

  constructor(command: string, terminalId: string = randomUUID()) {
    const stopped = new AbortController();
    this.terminal = new TerminalClient({
      client,
      agentId,
      terminalId,
      command,
      size: { columns: 80, rows: 24 },
      clock: systemClock,
      signal: stopped.signal,
    });
    this.ended = this.#read();
    onTestFinished(() => this.terminal.close());
  }

  get lost(): number {
    return this.changes.filter(({ type }) => type === "lost").length;
  }

  get connected(): number {
    return this.changes.filter(({ type }) => type === "connected").length;
  }

  async #read(): Promise<void> {
    for await (const change of this.terminal) {
      if (change.type === "output") {
        this.hash.update(change.bytes);
        this.bytes += change.bytes.length;
        this.text = (this.text + Buffer.from(change.bytes).toString()).slice(-1_000);
      } else this.changes.push(change);
    }
  }
}

function cut(): void {
  for (const link of proxy.links) link.cut();
}

describe("a terminal whose connection breaks", () => {
  it("goes on at the same byte, and ends with its command", async () => {
    const lines = 1_500_000;
    const reader = new Reader(`stty -onlcr; seq 1 ${String(lines)}`);
    for (const share of [0.1, 0.3, 0.5, 0.7]) {
      await expect.poll(() => reader.bytes, { interval: 1 }).toBeGreaterThan(share * 10_000_000);
      cut();
    }
    await reader.ended;
    const all = createHash("sha256");
    for (let line = 1; line <= lines; line += 1) all.update(`${String(line)}\n`);
    expect(reader.hash.digest("hex")).toBe(all.digest("hex"));
    expect(reader.lost).toBeGreaterThanOrEqual(4);
    expect(reader.changes.at(-1)).toEqual({ type: "ended", isKnown: true });
    expect(reader.changes.filter(({ type }) => type === "skipped")).toEqual([]);
  });

  it("types nothing twice, and nothing never", async () => {
    const [rounds, each] = [6, 50];
    const command = `stty -echo; echo ready; head -n ${String(rounds * each)} | sha256sum`;
    const reader = new Reader(command);
    await expect.poll(() => reader.text).toContain("ready");
    const typed = createHash("sha256");
    for (let round = 1; round <= rounds; round += 1) {
      await expect.poll(() => reader.connected).toBe(round);
      for (let line = 1; line <= each; line += 1) {
        const text = `line ${String(line)} of ${String(round)}\n`;
        typed.update(text);
        expect(reader.terminal.type(text)).toBe(true);
      }
      cut();
    }
    await reader.ended;
    expect(reader.text).toContain(typed.digest("hex"));
  });

  it("shows what was printed, and the end, while it was away", async () => {
    const reader = new Reader("stty -onlcr; echo ready; read x; echo got $x; seq 1 20000");
    await expect.poll(() => reader.text).toContain("ready");
    isReachable = false;
    try {
      reader.terminal.type("hello\n");
      cut();
      await expect.poll(() => reader.lost).toBeGreaterThanOrEqual(1);
      // It waits for input.
      expect(reader.terminal.type("more\n")).toBe(true);
    } finally {
      isReachable = true;
    }
    await reader.ended;
    expect(reader.text).toMatch(/19999\n20000\n$/);
    expect(reader.changes.filter(({ type }) => type === "skipped")).toEqual([]);
  });

  it("is not held up by a viewer that was lost while another one reads", async () => {
    const lost = new Reader("echo ready; read x; stty -onlcr; seq 1 1000000; echo done; read y");
    await expect.poll(() => lost.text).toContain("ready");
    const { terminalId } = lost.terminal;
    const other = new Reader("", terminalId);
    await expect.poll(() => other.text).toContain("ready");
    isReachable = false;
    try {
      lost.terminal.reconnect();
      await expect.poll(() => lost.lost).toBeGreaterThanOrEqual(1);
      other.terminal.type("go\n");
      await expect.poll(() => other.text, { timeout: 30_000 }).toContain("done\n");
    } finally {
      isReachable = true;
    }
    await expect.poll(() => lost.text, { timeout: 30_000 }).toContain("done\n");
    const skipped = lost.changes.find(({ type }) => type === "skipped");
    expect(skipped).toMatchObject({ bytes: expect.any(Number) });
    expect(lost.bytes + Number(skipped?.type === "skipped" ? skipped.bytes : 0)).toBe(other.bytes);
  });
});

it("is left at once, and ends with its reader", async () => {
  const reader = new Reader("echo ready; cat");
  await expect.poll(() => reader.text).toContain("ready");
  reader.terminal.close();
  await reader.ended;
  expect(reader.changes.some(({ type }) => type === "lost")).toBe(false);
});

it("ends by its signal while nothing comes", async () => {
  const stopped = new AbortController();
  const size = { columns: 80, rows: 24 };
  const needs = { client, agentId, size, clock: systemClock, signal: stopped.signal };
  const terminal = new TerminalClient({ ...needs, command: "echo ready; cat" });
  const read = async (): Promise<void> => {
    for await (const { type } of terminal) {
      if (type === "output") setImmediate(() => stopped.abort(new Error("enough")));
    }
  };
  await expect(read()).rejects.toThrow("enough");
});

it("throws the refusal of a server instead of trying for ever", async () => {
  const stranger = new ApiClient({
    serverUrl: proxy.url,
    token: "abcdefghij-0123456789012345678901",
  });
  const terminal = new TerminalClient({
    client: stranger,
    agentId,
    size: { columns: 80, rows: 24 },
    clock: systemClock,
    signal: new AbortController().signal,
  });
  const changes = terminal[Symbol.asyncIterator]();
  await expect(changes.next()).rejects.toMatchObject({ status: 401 });
});
