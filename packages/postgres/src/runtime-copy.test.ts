import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { installRuntime } from "./runtime-copy.ts";

/** Returns an empty data directory, and binaries with or without their list of links. */
async function place({ isWhole }: { readonly isWhole: boolean }): Promise<{
  readonly data: string;
  readonly binaries: Parameters<typeof installRuntime>[1];
}> {
  const root = await mkdtemp(join(tmpdir(), "slipway-test-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const [data, directory] = [join(root, "data"), join(root, "binaries")];
  await mkdir(data);
  await mkdir(join(directory, "bin"), { recursive: true });
  await writeFile(join(directory, "bin/postgres"), "program");
  if (isWhole) await writeFile(join(directory, "pg-symlinks.json"), "[]");
  return { data, binaries: { directory, version: "18.4", majorVersion: 18 } };
}

describe("installRuntime", () => {
  it("copies the binaries once", async () => {
    const { data, binaries } = await place({ isWhole: true });
    expect(await installRuntime(data, binaries)).toMatchObject({ isNew: true });
    expect(await installRuntime(data, binaries)).toMatchObject({ isNew: false });
    expect(await readdir(join(data, "runtime"))).toEqual(["postgres-18.4"]);
  });

  it("leaves nothing of a copy that fails", async () => {
    const { data, binaries } = await place({ isWhole: false });
    await expect(installRuntime(data, binaries)).rejects.toThrow("ENOENT");
    expect(await readdir(join(data, "runtime"))).toEqual([]);
  });
});
