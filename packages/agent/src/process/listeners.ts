import { readdir, readFile, readlink } from "node:fs/promises";

/** A TCP socket that listens, of whatever process. */
export interface Listener {
  readonly port: number;
  /** Names the socket among the descriptors of processes. */
  readonly inode: string;
}

/** The state of a listener in `/proc/net/tcp`. */
const listening = "0A";
/** Tables longer than this are cut: they are the kernel's, but as long as its users make them. */
const maxTableBytes = 16 * 1024 * 1024;

/** Lists the listeners of IPv4 and IPv6; none where there is no `/proc`. */
export async function findListeners(): Promise<Listener[]> {
  const tables = await Promise.all(["tcp", "tcp6"].map((name) => readTable(`/proc/net/${name}`)));
  return tables.flatMap((table) => parseListeners(table));
}

/** Finds the processes that hold the sockets, by their inodes, as far as we may look. */
export async function findOwners(
  inodes: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const owners = new Map<string, string>();
  if (inodes.size === 0) return owners;
  for (const pid of await namesIn("/proc")) {
    if (owners.size === inodes.size) break;
    if (!/^\d+$/.test(pid)) continue;
    for (const inode of await heldSockets(pid, inodes)) owners.set(inode, pid);
  }
  return owners;
}

/** Reads a file of a process, such as its name or its command line; empty if it has ended. */
export async function readOfProcess(pid: string, file: "comm" | "cmdline"): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
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
