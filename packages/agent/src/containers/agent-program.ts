import { createHash } from "node:crypto";
import { access, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The agent's program, as it is copied into containers. */
export interface AgentProgram {
  /** The directory of the archive that this agent runs from. */
  readonly directory: string;
  /** Identifies its content. */
  readonly id: string;
  /** The architecture of its code, by the name of the protocol. */
  readonly architecture: string;
}

/** The program that starts the agent, relative to the directory. */
export const launcher = "bin/slipway";

/** Node.js's names of architectures, and those of `uname -m`. */
const architectures: Readonly<Record<string, { readonly name: string; readonly machine: string }>> =
  {
    x64: { name: "amd64", machine: "x86_64" },
    arm64: { name: "arm64", machine: "aarch64" },
  };

/** Returns the name of the architecture that `uname -m` prints; undefined for one that no agent runs on. */
export function architectureOf(machine: string): string | undefined {
  return Object.values(architectures).find((one) => one.machine === machine)?.name;
}

/**
 * Finds the program of this process. Only an archive brings its own C library and so runs in any container; undefined for
 * an agent that runs from anything else, such as a clone.
 */
export async function findAgentProgram(
  execPath: string = process.execPath,
): Promise<AgentProgram | undefined> {
  // The archive has Node.js as `lib/node`, and its C library beside it, which may be the one that was started.
  const parents = [dirname(dirname(execPath)), dirname(dirname(dirname(execPath)))];
  for (const directory of parents) {
    const isArchive = await isReadable(join(directory, launcher), join(directory, "lib/node"));
    const architecture = architectures[process.arch]?.name;
    if (isArchive && architecture !== undefined) {
      return { directory, architecture, id: await idOf(directory) };
    }
  }
  return undefined;
}

async function isReadable(...paths: readonly string[]): Promise<boolean> {
  return Promise.all(paths.map((path) => access(path))).then(
    () => true,
    () => false,
  );
}

/** Identifies an archive by its parts and the sizes of its programs. */
async function idOf(directory: string): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of ["lib", "lib/slipway/agent/dist"]) {
    const names = await readdir(join(directory, folder)).catch(() => []);
    for (const name of names.toSorted((one, other) => (one < other ? -1 : 1))) {
      const { size, mtimeMs } = await stat(join(directory, folder, name));
      hash.update(`${folder}/${name} ${size} ${Math.floor(mtimeMs)}\n`);
    }
  }
  return hash.digest("hex").slice(0, 16);
}
