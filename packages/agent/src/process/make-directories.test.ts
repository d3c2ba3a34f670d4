import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, it, onTestFinished } from "vitest";

import { makeDirectories } from "./make-directories.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-directories-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

it("makes what is missing, and leaves what is there", async () => {
  const path = join(folder, "a", "b", "c");
  await makeDirectories(path, 0o700);
  expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o700);
  expect(statSync(path).isDirectory()).toBe(true);
  await makeDirectories(path, 0o755);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  await makeDirectories("/", 0o700);
});

it.runIf(process.platform === "linux").each(["/proc/nope", "/proc/nope/deep/er"])(
  "gives up at %s, where nobody can make directories",
  async (path) => {
    await expect(makeDirectories(path, 0o700)).rejects.toMatchObject({ code: "ENOENT" });
  },
);

it("gives up at a file, and at a link to nothing", async () => {
  writeFileSync(join(folder, "file"), "");
  symlinkSync("nowhere", join(folder, "link"));
  await expect(makeDirectories(join(folder, "file"), 0o700)).rejects.toMatchObject({
    code: "EEXIST",
  });
  await expect(makeDirectories(join(folder, "file", "x"), 0o700)).rejects.toMatchObject({
    code: "ENOTDIR",
  });
  await expect(makeDirectories(join(folder, "link", "x"), 0o700)).rejects.toMatchObject({
    code: "ENOENT",
  });
});
