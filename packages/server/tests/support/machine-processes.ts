import { mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";

/** A directory below which a configuration starts its machines, as processes. Its owner disposes of it, which ends them. */
export interface Machines extends AsyncDisposable {
  readonly directory: string;
}

export async function openMachines(): Promise<Machines> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-machines-"));
  return {
    directory,
    [Symbol.asyncDispose]: async () => {
      for (const pid of await processesBelow(directory)) process.kill(pid, "SIGKILL");
      await rm(directory, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** Lists the processes that work in a directory or below it: a test that fails leaves its machines to run. */
async function processesBelow(directory: string): Promise<readonly number[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    names.map(async (name) => {
      // A process that has ended meanwhile works nowhere.
      const place = await readlink(`/proc/${name}/cwd`).catch(() => "");
      return `${place}${sep}`.startsWith(`${directory}${sep}`) ? [Number(name)] : [];
    }),
  );
  return found.flat();
}
