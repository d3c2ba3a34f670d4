import { readdir } from "node:fs/promises";

import { systemErrorCode } from "@slipway/runtime";

import { removeNamespace } from "./namespace.ts";

const directory = "/run/netns";
const prefix = "slipway-lab";
let laboratories = 0;

/** Returns a function that names the namespaces of a new laboratory in this process. */
export function createNamer(): (part: string) => string {
  laboratories += 1;
  const laboratory = `${prefix}-${String(process.pid)}-${String(laboratories)}`;
  return (part) => `${laboratory}-${part}`;
}

/** Removes the namespaces that exited processes left behind, and kills what runs in them. */
export async function sweepLeftovers(): Promise<void> {
  const owned = new RegExp(`^${prefix}-(\\d+)-`);
  for (const name of await listNamespaces()) {
    const pid = owned.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await sweep(name);
  }
}

async function sweep(name: string): Promise<void> {
  try {
    await removeNamespace(name);
  } catch (error) {
    // Another process may have removed it first.
    if ((await listNamespaces()).includes(name)) throw error;
  }
}

/** Lists the named namespaces of this machine. */
async function listNamespaces(): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) !== "ESRCH";
  }
}
