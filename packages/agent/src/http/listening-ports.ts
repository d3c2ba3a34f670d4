import { readdir, readFile, readlink } from "node:fs/promises";

import type { Clock } from "@slipway/runtime";

/** A port of the workspace that something listens on. */
export interface ListeningPort {
  readonly process_name: string;
  readonly network: "tcp";
  readonly port: number;
}

/** Ports below are the agent's own on the network (docs/protocol/tailnet.md §1.5). */
const firstUserPort = 9;
/** How long a scan counts. */
const cacheMs = 1000;
/** The state of a listener in `/proc/net/tcp`. */
const listening = "0A";
/** Tables longer than this are cut: they are the kernel's, but as long as its users make them. */
const maxTableBytes = 16 * 1024 * 1024;

/** Lists the listeners of IPv4 and IPv6, each port once; none where there is no `/proc`. */
export class ListeningPorts {
  readonly #clock: Clock;
  readonly #ignored: ReadonlySet<number>;
  #scan: { readonly ports: Promise<readonly ListeningPort[]>; readonly atMs: number } | undefined;

  /** The ignored ports are the agent's own, such as that of its metrics. */
  constructor(clock: Clock, ignored: ReadonlySet<number>) {
    this.#clock = clock;
    this.#ignored = ignored;
  }

  async list(): Promise<readonly ListeningPort[]> {
    const now = this.#clock.monotonic();
    if (this.#scan === undefined || now - this.#scan.atMs >= cacheMs) {
      this.#scan = { ports: this.#find(), atMs: now };
    }
    return this.#scan.ports;
  }

  async #find(): Promise<readonly ListeningPort[]> {
    const tables = await Promise.all(["tcp", "tcp6"].map((name) => readTable(`/proc/net/${name}`)));
    const inodes = new Map(
      tables
        .flatMap((table) => parseListeners(table))
        .filter(({ port }) => port >= firstUserPort && !this.#ignored.has(port))
        .map(({ port, inode }) => [port, inode]),
    );
    const names = await processNames(new Set(inodes.values()));
    return [...inodes]
      .toSorted(([one], [other]) => one - other)
      .map(([port, inode]) => ({ process_name: names.get(inode) ?? "", network: "tcp", port }));
  }
}

interface Listener {
  readonly port: number;
  readonly inode: string;
}

/** Parses a table of the kernel; lines that are none are skipped. */
function parseListeners(table: string): Listener[] {
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    const port = Number.parseInt(local.split(":").at(-1) ?? "", 16);
    return state === listening && port > 0 && port <= 0xffff ? [{ port, inode }] : [];
  });
}

async function readTable(path: string): Promise<string> {
  try {
    return (await readFile(path, "latin1")).slice(0, maxTableBytes);
  } catch {
    return "";
  }
}

/** Finds the processes that hold the sockets, as far as we may look. */
async function processNames(inodes: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  if (inodes.size === 0) return names;
  for (const pid of await namesIn("/proc")) {
    if (names.size === inodes.size) break;
    if (!/^\d+$/.test(pid)) continue;
    const held = await heldSockets(pid, inodes);
    if (held.length === 0) continue;
    const name = await processName(pid);
    for (const inode of held) names.set(inode, name);
  }
  return names;
}

async function heldSockets(pid: string, inodes: ReadonlySet<string>): Promise<string[]> {
  const links = await Promise.all(
    (await namesIn(`/proc/${pid}/fd`)).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)),
  );
  return links.flatMap((link) => {
    const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
    return inode !== undefined && inodes.has(inode) ? [inode] : [];
  });
}

async function linkOf(path: string): Promise<string> {
  try {
    return await readlink(path);
  } catch {
    return "";
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch {
    // It is gone, or another user's.
    return [];
  }
}

async function processName(pid: string): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/comm`, "utf8")).trimEnd();
  } catch {
    return "";
  }
}
