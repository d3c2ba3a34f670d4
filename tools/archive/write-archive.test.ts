import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";

import { expect, it, onTestFinished } from "vitest";

import { type ArchiveFile, plain } from "./pack-tree.ts";
import { writeArchive } from "./write-archive.ts";

const files = [plain("a", Buffer.from("text")), plain("b/c", Buffer.alloc(100_000, 7))];

async function place(): Promise<string> {
  const output = await mkdtemp(join(tmpdir(), "slipway-test-"));
  onTestFinished(() => rm(output, { recursive: true, force: true }));
  return output;
}

/** Makes an archive; returns its bytes and how often its files were collected. */
async function make(
  compression: "tar.gz" | "tar.zst",
  output: string,
): Promise<{ readonly bytes: Buffer; readonly collected: number }> {
  let collected = 0;
  const tree = async (): Promise<readonly ArchiveFile[]> => {
    collected += 1;
    return files;
  };
  const { signal } = new AbortController();
  const options = { architecture: "amd64", compression, output, report: () => undefined } as const;
  const path = await writeArchive({ ...options, tree, signal });
  return { bytes: await readFile(path), collected };
}

it("collects the parts of an architecture once, whatever is made of them first", async () => {
  for (const [first, second] of [
    ["tar.gz", "tar.zst"],
    ["tar.zst", "tar.gz"],
  ] as const) {
    const output = await place();
    expect(await make(first, output)).toMatchObject({ collected: 1 });
    const made = await make(second, output);
    expect(made.collected).toBe(0);
    expect(made.bytes).toEqual((await make(second, await place())).bytes);
  }
});

it("holds the same files in each compression, and is made once", async () => {
  const output = await place();
  const [gz, zst] = [await make("tar.gz", output), await make("tar.zst", output)];
  expect(zstdDecompressSync(zst.bytes)).toEqual(gunzipSync(gz.bytes));
  expect(await make("tar.gz", output)).toMatchObject({ collected: 0 });
});

it("takes nothing from an archive of other parts", async () => {
  const output = await place();
  await make("tar.gz", output);
  await writeFile(join(output, "slipway-linux-amd64.tar.gz.inputs"), "other");
  expect(await make("tar.zst", output)).toMatchObject({ collected: 1 });
});
