import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { onTestFinished } from "vitest";

/** The result of a finished script. */
export interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A home directory, and a shell with few programs. */
export interface Machine {
  readonly home: string;
  /** Runs a script from standard input, as `curl … | sh` does. */
  readonly sh: (
    script: string,
    options?: { readonly args?: string[]; readonly env?: Record<string, string> },
  ) => Promise<Result>;
}

/** The programs of a machine that has no others; without `zstd`, gzip is used. */
export const usual =
  "cat chmod curl find grep gzip head id ln ls mkdir mv readlink rm sh sha256sum tar touch uname wc".split(
    " ",
  );

/** Returns those programs that this machine has. */
export async function presentPrograms(names: readonly string[]): Promise<readonly string[]> {
  const paths = await Promise.all(names.map((name) => findProgram(name)));
  return names.filter((_, index) => paths[index] !== undefined);
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const place of ["/usr/bin", "/bin"]) {
    if ((await readdir(place)).includes(name)) return join(place, name);
  }
  return undefined;
}

/** Creates a home directory, and a PATH with some programs of this machine. */
export async function makeMachine(programs: readonly string[] = usual): Promise<Machine> {
  const home = await mkdtemp(join(tmpdir(), "slipway-machine-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const bin = join(home, "programs");
  await mkdir(bin);
  for (const name of programs) {
    const path = await findProgram(name);
    if (path !== undefined) await symlink(path, join(bin, name));
  }
  // Retries do not wait.
  await symlink((await findProgram("true")) ?? "", join(bin, "sleep"));
  return {
    home,
    sh: async (script, { args = [], env = {} } = {}) => {
      const child = spawn("/bin/sh", ["-s", "--", ...args], {
        env: { PATH: bin, HOME: home, SLIPWAY_DOWNLOAD_TRIES: "1", ...env },
        cwd: home,
      });
      child.stdin.on("error", () => undefined).end(script);
      const output = [text(child.stdout), text(child.stderr)] as const;
      const closed = once(child, "close");
      const [out, err] = await Promise.all(output);
      const [code] = await closed;
      return { code: typeof code === "number" ? code : null, out, err };
    },
  };
}

/** The releases of the agent in a home directory. */
export const releases = (home: string): string => join(home, ".cache/slipway/releases");

/** The releases and unfinished directories in a home directory. */
export async function leftIn(home: string): Promise<readonly string[]> {
  const places = [releases(home), join(home, ".local/lib/slipway")];
  const names = await Promise.all(places.map((place) => readdir(place).catch(() => [])));
  return names.flat();
}
