import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { logInAsAdmin, startServerProcess, unlimitedWorkspaces } from "@slipway/testkit";

import { makeFleet } from "./external-fleet.ts";
import { findStockServer } from "./stock-server.ts";

/** A server that holds a fleet of idle agents. */
export interface IdleServer {
  readonly name: "bare ws" | "ours" | "stock";
  readonly kind: "agents" | "echoes";
  readonly url: string;
  /** The current process. */
  readonly pid: () => number;
  readonly tokens: readonly string[];
  /** Ends it and starts it again at the same address; absent where no restart program is named. */
  readonly restart?: () => Promise<void>;
}

/** Opens an echo of `ws` alone: the floor. */
export async function openBareEcho(
  opened: AsyncDisposableStack,
  count: number,
): Promise<IdleServer> {
  const program = fileURLToPath(new URL("bare-server.ts", import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  opened.defer(async () => {
    child.kill();
    await once(child, "exit");
  });
  const [port] = await once(createInterface(child.stdout), "line");
  return {
    name: "bare ws",
    kind: "echoes",
    url: `ws://127.0.0.1:${String(port)}/`,
    pid: () => child.pid ?? 0,
    tokens: Array.from({ length: count }, () => ""),
  };
}

/** Opens a server of ours with this many workspaces. */
export async function openOurs(opened: AsyncDisposableStack, count: number): Promise<IdleServer> {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-bench-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  let server = await startServerProcess({ dataDir, port: 0, environment: unlimitedWorkspaces });
  opened.defer(() => server.end("SIGINT"));
  const agents = await makeFleet(await logInAsAdmin(server.url), count);
  const port = Number(new URL(server.url).port);
  return {
    name: "ours",
    kind: "agents",
    url: server.url,
    pid: () => server.pid,
    tokens: agents.map(({ token }) => token),
    restart: async () => {
      await server.end("SIGINT");
      server = await startServerProcess({ dataDir, port, environment: unlimitedWorkspaces });
    },
  };
}

/**
 * Finds the stock server that the environment names, with this many workspaces; see `stock-server.ts`. In addition,
 * SLIPWAY_STOCK_RESTART may be a program that restarts it and prints the process's id as its last line.
 */
export async function findStock(count: number): Promise<IdleServer | undefined> {
  const stock = findStockServer();
  if (stock === undefined) return undefined;
  let { pid } = stock;
  if (pid === undefined) throw new Error("SLIPWAY_STOCK_PID is not set, wanted for what it costs");
  const agents = await stock.makeAgents(count);
  const program = process.env["SLIPWAY_STOCK_RESTART"];
  const restart = async (path: string): Promise<void> => {
    const { stdout } = await promisify(execFile)(path);
    pid = Number(stdout.trim().split("\n").at(-1));
  };
  return {
    name: "stock",
    kind: "agents",
    url: stock.client.serverUrl,
    pid: () => pid ?? 0,
    tokens: agents.map(({ token }) => token),
    ...(program === undefined ? {} : { restart: () => restart(program) }),
  };
}
