import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { basename, join } from "node:path";

import { type DebianPackages, readCopyrights } from "./debian-packages.ts";
import { type Architecture, architectures } from "./parts.ts";
import type { WorkPlace } from "./work-place.ts";

/** The C library, and everything that Node.js and our addons load besides it. */
export interface Glibc {
  /** The libraries by name. */
  readonly libraries: ReadonlyMap<string, Buffer>;
  /** The license texts by package name. */
  readonly licenses: ReadonlyMap<string, Buffer>;
  /** The versions of the packages by name. */
  readonly versions: Readonly<Record<string, string>>;
}

const packages = ["libc6", "libgcc-s1", "libstdc++6"];
/** The libraries to which programs are linked, and those that glibc loads to resolve hosts and users. */
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

/** Downloads the C library of this machine's distribution for any architecture. */
export async function fetchGlibc(
  architecture: Architecture,
  debian: DebianPackages,
  { directory }: Pick<WorkPlace, "directory">,
): Promise<Glibc> {
  const unpacked = join(directory, "unpacked");
  const versions = await debian.unpack(architecture, packages, unpacked);
  const libstdcxxDocs = join(unpacked, "usr/share/doc/libstdc++6");
  // The license texts of GCC's packages are in a package that all of them depend on, such as gcc-14-base.
  const base = basename(await readlink(libstdcxxDocs));
  Object.assign(versions, await debian.unpack(architecture, [base], unpacked));
  return {
    libraries: await readLibraries(architecture, unpacked),
    licenses: await readCopyrights(unpacked, ["libc6", base]),
    versions,
  };
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
