import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Architecture } from "./parts.ts";
import { runProgram } from "./run-program.ts";
import type { WorkPlace } from "./work-place.ts";

/** Reports whether this machine has the programs that download Debian packages. */
export async function hasApt({ signal }: Pick<WorkPlace, "signal">): Promise<boolean> {
  const command = ["sh", "-c", "command -v apt-get && command -v dpkg-deb"] as const;
  try {
    await runProgram(command, { cwd: "/", signal });
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/**
 * Packages of this machine's distribution, downloaded by apt, which verifies their signatures. Works without root,
 * and leaves the machine's own lists and packages untouched.
 */
export class DebianPackages {
  readonly #architectures: readonly Architecture[];
  readonly #place: WorkPlace;
  #lists: Promise<readonly string[]> | undefined;

  constructor(architectures: readonly Architecture[], place: WorkPlace) {
    this.#architectures = architectures;
    this.#place = place;
  }

  /** Unpacks an architecture's packages into a directory. Returns their versions. */
  async unpack(
    architecture: Architecture,
    names: readonly string[],
    unpacked: string,
  ): Promise<Record<string, string>> {
    const { directory, signal } = this.#place;
    this.#lists ??= this.#getLists();
    const options = await this.#lists;
    const debs = await mkdtemp(join(directory, "debs-"));
    const wanted = names.map((name) => `${name}:${architecture}`);
    await runProgram(["apt-get", ...options, "-q", "download", ...wanted], { cwd: debs, signal });
    const versions: Record<string, string> = {};
    for (const file of (await readdir(debs)).toSorted()) {
      const deb = join(debs, file);
      const field = ["dpkg-deb", "--show", "--showformat=${Package} ${Version}", deb] as const;
      const [name = "", version = ""] = (await runProgram(field, { cwd: debs, signal })).split(" ");
      versions[name] = version;
      await runProgram(["dpkg-deb", "--extract", deb, unpacked], { cwd: debs, signal });
    }
    return versions;
  }

  /** Downloads the lists of all architectures. Returns the options with which apt finds them. */
  async #getLists(): Promise<readonly string[]> {
    const { directory, signal } = this.#place;
    const options = await aptOptions(this.#architectures, directory);
    await runProgram(["apt-get", ...options, "-q", "update"], { cwd: directory, signal });
    return options;
  }
}

/**
 * Returns options that give apt separate lists and a separate cache, for a machine of these architectures without
 * packages.
 */
async function aptOptions(
  architectures: readonly Architecture[],
  directory: string,
): Promise<readonly string[]> {
  const [state, cache] = [join(directory, "state"), join(directory, "cache")];
  await mkdir(join(state, "lists/partial"), { recursive: true });
  await mkdir(join(cache, "archives/partial"), { recursive: true });
  await writeFile(join(state, "status"), "");
  const settings = {
    "APT::Architecture": architectures[0] ?? "",
    "APT::Sandbox::User": "",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    // The descriptions for software centers are a third of the download.
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
    "Dir::Cache": cache,
    // Container images turn it off; without it apt reads all lists again each time.
    "Dir::Cache::pkgcache": "pkgcache.bin",
    "Dir::State": state,
    "Dir::State::lists": join(state, "lists"),
    "Dir::State::status": join(state, "status"),
  };
  const given = Object.entries(settings).map(([name, value]) => `--option=${name}=${value}`);
  // Replaces the list of the machine's own architectures.
  const listed = architectures.map((name) => `--option=APT::Architectures::=${name}`);
  return ["--option=#clear=APT::Architectures", ...listed, ...given];
}

/** Returns the licenses of unpacked packages by name. */
export async function readCopyrights(
  unpacked: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, Buffer>> {
  const texts = new Map<string, Buffer>();
  for (const name of names) {
    texts.set(name, await readFile(join(unpacked, `usr/share/doc/${name}/copyright`)));
  }
  return texts;
}
