import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { FileChange } from "@slipway/api/agents/file-routes";
import { beforeEach, expect, it, onTestFinished } from "vitest";

import { watchProblem, watchTree } from "./watch-tree.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-watch-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

it("refuses a tree with too many directories", async () => {
  for (const name of ["a", "b", "c"]) mkdirSync(join(folder, name));
  const watching = watchTree(Buffer.from(folder), {
    isRecursive: true,
    maxDirectories: 3,
    owner: {},
    signal: new AbortController().signal,
    report: async () => undefined,
  });
  await expect(watching).rejects.toMatchObject({ code: "too-large" });
});

it("says that changes are lost once there are too many directories", async () => {
  const stopping = new AbortController();
  const seen: FileChange[] = [];
  const watching = watchTree(Buffer.from(folder), {
    isRecursive: true,
    maxDirectories: 2,
    owner: {},
    signal: stopping.signal,
    report: async (changes) => {
      seen.push(...changes);
      if (changes.length === 0) mkdirSync(join(folder, "a/b/c"), { recursive: true });
      if (seen.some(({ type }) => type === "overflow")) stopping.abort();
    },
  });
  await watching;
  expect(seen).toContainEqual({ type: "overflow", path: join(folder, "a") });
});

it("says which limit of the machine lets it watch no more directories", async () => {
  const failure = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  expect(watchProblem(failure)).toMatchObject({
    code: "too-large",
    message: "the machine can watch no more directories: raise fs.inotify.max_user_watches",
  });
  const other = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
  expect(watchProblem(other)).toBe(other);
});
