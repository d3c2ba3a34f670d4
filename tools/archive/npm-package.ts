import { createHash, timingSafeEqual } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { createGunzip } from "node:zlib";

import { extract } from "tar-stream";

import { type PinnedPackage, root } from "./parts.ts";
import { runProgram } from "./run-program.ts";

/** Files by path within a package. */
export type PackageFiles = ReadonlyMap<string, Buffer>;

/**
 * Downloads files of a package from the configured npm registry and verifies the package's integrity. Names that end
 * with a slash are directories. Throws when the content differs or a file is missing.
 */
export async function fetchPackage(
  pinned: PinnedPackage,
  wanted: readonly string[],
  { directory, signal }: { readonly directory: string; readonly signal: AbortSignal },
): Promise<PackageFiles> {
  const { name, version, integrity } = pinned;
  const command = ["npm", "pack", "--silent", "--pack-destination", directory] as const;
  await runProgram([...command, `${name}@${version}`], { cwd: root, signal });
  const beginning = `${name.replace(/^@/, "").replace("/", "-")}-${version}`;
  const file = (await readdir(directory)).find((entry) => entry === `${beginning}.tgz`);
  if (file === undefined) throw new Error(`npm pack wrote no ${beginning}.tgz`);
  const content = await readFile(join(directory, file));
  if (!hasIntegrity(content, integrity)) {
    throw new Error(`${name}@${version} does not match ${integrity}`);
  }
  return unpack(content, wanted);
}

function hasIntegrity(content: Buffer, integrity: string): boolean {
  const [algorithm = "", digest = ""] = integrity.split(/-(.*)/s);
  const found = createHash(algorithm).update(content).digest();
  const expected = Buffer.from(digest, "base64");
  return found.length === expected.length && timingSafeEqual(found, expected);
}

async function unpack(content: Buffer, wanted: readonly string[]): Promise<PackageFiles> {
  const files = new Map<string, Buffer>();
  const entries = Readable.from([content]).pipe(createGunzip()).pipe(extract());
  for await (const entry of entries) {
    // Every package has one top directory, usually named `package`.
    const path = entry.header.name.replace(/^[^/]*\//, "");
    const isWanted = wanted.some((name) => isAtOrBelow(path, name));
    if (isWanted && entry.header.type === "file") files.set(path, await buffer(entry));
    else entry.resume();
  }
  const found = [...files.keys()];
  const absent = wanted.filter((name) => !found.some((path) => isAtOrBelow(path, name)));
  if (absent.length > 0) throw new Error(`package lacks ${absent.join(", ")}`);
  return files;
}

function isAtOrBelow(path: string, name: string): boolean {
  return name.endsWith("/") ? path.startsWith(name) : path === name;
}
