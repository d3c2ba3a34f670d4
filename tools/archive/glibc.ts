import { mkdir, readdir, readFile, readlink, realpath, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { type Architecture, architectures } from "./parts.ts";
import { runProgram } from "./run-program.ts";

/** The C library, and all that Node.js and our addons load beside it. */
export interface Glibc {
  /** The libraries by their names. */
  readonly libraries: ReadonlyMap<string, Buffer>;
  /** The texts of their licenses by the names of their packages. */
  readonly licenses: ReadonlyMap<string, Buffer>;
  /** The versions of the packages by name. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface WorkPlace {
  /** An empty directory. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

const packages = ["libc6", "libgcc-s1", "libstdc++6"];
/** The libraries that programs are linked with, and those that glibc loads to resolve names of hosts and users. */
const wantedLibraries = [
  "libc.so.6",
  "libdl.so.2",
  "libgcc_s.so.1",
  "libm.so.6",
  "libnss_dns.so.2",
  "libnss_files.so.2",
  "libpthread.so.0",
  "libresolv.so.2",
  "librt.so.1",
  "libstdc++.so.6",
  "libutil.so.1",
];

/** Returns whether this machine has the programs that get packages of Debian. */
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
 * Gets the C library of this machine's distribution by apt, which checks signatures; for any architecture, without root,
 * and without touching the lists and packages of the machine.
 */
export async function fetchGlibc(architecture: Architecture, place: WorkPlace): Promise<Glibc> {
  const unpacked = join(place.directory, "unpacked");
  const versions = await fetchPackages(architecture, packages, unpacked, place);
  const libstdcxxDocs = join(unpacked, "usr/share/doc/libstdc++6");
  // The texts of the packages of GCC are in one that all of them depend on, such as gcc-14-base.
  const base = basename(await readlink(libstdcxxDocs));
  Object.assign(versions, await fetchPackages(architecture, [base], unpacked, place));
  return {
    libraries: await readLibraries(architecture, unpacked),
    licenses: await readLicenses(unpacked, ["libc6", base]),
    versions,
  };
}

async function fetchPackages(
  architecture: Architecture,
  names: readonly string[],
  unpacked: string,
  { directory, signal }: WorkPlace,
): Promise<Record<string, string>> {
  const debs = join(directory, `debs-${names[0] ?? ""}`);
  await mkdir(debs, { recursive: true });
  const options = await aptOptions(architecture, directory);
  const lists = join(directory, "state/lists");
  if (!(await readdir(lists)).includes("lock")) {
    await runProgram(["apt-get", ...options, "-q", "update"], { cwd: debs, signal });
  }
  await runProgram(["apt-get", ...options, "-q", "download", ...names], { cwd: debs, signal });
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

/** Returns options that give apt lists and a cache of its own, for a machine of the architecture without packages. */
async function aptOptions(
  architecture: Architecture,
  directory: string,
): Promise<readonly string[]> {
  const [state, cache] = [join(directory, "state"), join(directory, "cache")];
  await mkdir(join(state, "lists/partial"), { recursive: true });
  await mkdir(join(cache, "archives/partial"), { recursive: true });
  await writeFile(join(state, "status"), "");
  const settings = {
    "APT::Architecture": architecture,
    "APT::Sandbox::User": "",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    "Dir::Cache": cache,
    "Dir::State": state,
    "Dir::State::lists": join(state, "lists"),
    "Dir::State::status": join(state, "status"),
  };
  const given = Object.entries(settings).map(([name, value]) => `--option=${name}=${value}`);
  // Replaces the list of the machine's own architectures.
  return [
    "--option=#clear=APT::Architectures",
    `--option=APT::Architectures=${architecture}`,
    ...given,
  ];
}

async function readLibraries(
  architecture: Architecture,
  unpacked: string,
): Promise<ReadonlyMap<string, Buffer>> {
  const wanted = [...wantedLibraries, architectures[architecture].loader];
  const paths = (await readdir(unpacked, { recursive: true })).toSorted();
  const libraries = new Map<string, Buffer>();
  for (const name of wanted.toSorted()) {
    const found = paths.find((path) => basename(path) === name);
    if (found === undefined) throw new Error(`the packages ${packages.join(", ")} lack ${name}`);
    libraries.set(name, await readFile(await realpath(join(unpacked, found))));
  }
  return libraries;
}

async function readLicenses(
  unpacked: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, Buffer>> {
  const texts = new Map<string, Buffer>();
  for (const name of names) {
    texts.set(name, await readFile(join(unpacked, `usr/share/doc/${name}/copyright`)));
  }
  return texts;
}
