import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, it, onTestFinished } from "vitest";

import { readFileStart } from "./read-file-start.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-read-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

it("reads a file, and no more of it than it may", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "content");
  symlinkSync("file", join(folder, "link"));
  expect(String(await readFileStart(file, 100))).toBe("content");
  expect(String(await readFileStart(join(folder, "link"), 4))).toBe("cont");
  await expect(readFileStart(join(folder, "none"), 4)).rejects.toMatchObject({ code: "ENOENT" });
});

it("reads no pipe, device or directory", async () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  for (const path of [pipe, "/dev/zero", folder]) {
    expect(await readFileStart(path, 100)).toBeUndefined();
  }
});
