import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Reads the inputs that earlier runs kept in a folder; empty if it does not exist. */
export async function readKept(folder: string): Promise<Uint8Array[]> {
  await mkdir(folder, { recursive: true });
  const names = (await readdir(folder)).toSorted();
  return Promise.all(names.map(async (name) => new Uint8Array(await readFile(join(folder, name)))));
}

/** Keeps inputs for later runs, each named after its hash. */
export async function keep(folder: string, inputs: readonly Uint8Array[]): Promise<void> {
  for (const input of inputs) {
    const name = createHash("sha256").update(input).digest("hex").slice(0, 32);
    await writeFile(join(folder, name), input);
  }
}
