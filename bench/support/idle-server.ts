import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { logInAsAdmin, startServerProcess, unlimitedWorkspaces } from "@slipway/testkit";

import type { BareServer } from "./bare-server.ts";
import { makeFleet } from "./external-fleet.ts";
import { openDirectory } from "./our-server.ts";
import { openPart } from "./part.ts";
import { findStockServer } from "./stock-server.ts";

/** A server that holds a fleet of idle agents. */
export interface IdleServer {
  readonly name: "bare ws" | "ours" | "stock";
  readonly kind: "agents" | "echoes";
  readonly url: string;
  /** The current process. */
  readonly pid: () => number;
  readonly tokens: readonly string[];
  /** Stops it and starts it again at the same address; absent if no restart program is named. */
  readonly restart?: () => Promise<void>;
}

/** Opens the floor, our server, and the stock one that the environment names, each with `count` agents. */
export async function openIdleServers(
  opened: AsyncDisposableStack,
  count: number,
): Promise<readonly IdleServer[]> {
  const stock = await findStock(count);
  const bare = await openBareEcho(opened, count);
  return [bare, await openOurs(opened, count), ...(stock === undefined ? [] : [stock])];
}

/** Opens an echo of `ws` alone: the floor. */
async function openBareEcho(opened: AsyncDisposableStack, count: number): Promise<IdleServer> {
  const bare = openPart<BareServer>(opened, "./bare-server.ts");
  return {
    name: "bare ws",
    kind: "echoes",
    url: `ws://127.0.0.1:${await bare.call("port")}/`,
    pid: () => bare.pid,
    tokens: Array.from({ length: count }, () => ""),
  };
}

async function openOurs(opened: AsyncDisposableStack, count: number): Promise<IdleServer> {
  const dataDir = await openDirectory(opened);
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
 * Finds the stock server that the environment names; see `stock-server.ts`. In addition, SLIPWAY_STOCK_RESTART may
 * name a program that restarts it and prints the process id as its last line.
 */
async function findStock(count: number): Promise<IdleServer | undefined> {
  const stock = findStockServer();
  if (stock === undefined) return undefined;
  let { pid } = stock;
  if (pid === undefined) throw new Error("SLIPWAY_STOCK_PID is not set, wanted to measure cost");
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
