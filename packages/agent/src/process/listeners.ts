import { readdir, readFile, readlink } from "node:fs/promises";

/** A listening TCP socket of any process. */
export interface Listener {
  readonly port: number;
  /** Identifies the socket among the descriptors of processes. */
  readonly inode: string;
}

/** The state of a listener in `/proc/net/tcp`. */
const listening = "0A";
/** The maximum number of bytes read of a table, whose length depends on all users of the machine. */
const maxTableBytes = 16 * 1024 * 1024;

/** Lists the listeners of IPv4 and IPv6; none without `/proc`. */
export async function findListeners(): Promise<Listener[]> {
  const tables = await Promise.all(["tcp", "tcp6"].map((name) => readTable(`/proc/net/${name}`)));
  return tables.flatMap((table) => parseListeners(table));
}

/** Finds the processes that hold the sockets, by their inodes, among those that this user may inspect. */
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

/** Reads the name or the command line of a process; empty if it has ended. */
export async function readOfProcess(pid: string, file: "comm" | "cmdline"): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** Parses a table of the kernel, and skips malformed lines. */
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
    // The process has ended, or is another user's.
    return [];
  }
}
