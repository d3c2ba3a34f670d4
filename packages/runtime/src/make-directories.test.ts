import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { makeDirectories, makeDirectoriesSync } from "./make-directories.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-directories-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

describe.each([
  { name: "makeDirectories", make: makeDirectories },
  {
    name: "makeDirectoriesSync",
    make: async (path: string, mode: number) => makeDirectoriesSync(path, mode),
  },
])("$name", ({ make }) => {
  it("makes what is missing, and leaves what is there", async () => {
    const path = join(folder, "a", "b", "c");
    await make(path, 0o700);
    expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o700);
    expect(statSync(path).isDirectory()).toBe(true);
    await make(path, 0o755);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    await make("/", 0o700);
  });

  it.runIf(process.platform === "linux").each(["/proc/nope", "/proc/nope/deep/er"])(
    "gives up at %s, where nobody can make directories",
    async (path) => {
      await expect(make(path, 0o700)).rejects.toMatchObject({ code: "ENOENT" });
    },
  );

  it("gives up at a file, and at a link to nothing", async () => {
    writeFileSync(join(folder, "file"), "");
    symlinkSync("nowhere", join(folder, "link"));
    await expect(make(join(folder, "file"), 0o700)).rejects.toMatchObject({ code: "EEXIST" });
    await expect(make(join(folder, "file", "x"), 0o700)).rejects.toMatchObject({ code: "ENOTDIR" });
    await expect(make(join(folder, "link", "x"), 0o700)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
