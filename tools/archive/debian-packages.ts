import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Architecture } from "./parts.ts";
import { runProgram } from "./run-program.ts";
import type { WorkPlace } from "./work-place.ts";

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
 * Gets packages of this machine's distribution by apt, which checks signatures, and unpacks them into a directory; for any
 * architecture, without root, and without touching the lists and packages of the machine. Returns their versions.
 */
export async function fetchDebianPackages(
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

/** Returns the licenses of unpacked packages by their names. */
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
