import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

import { beforeEach, expect, it, onTestFinished } from "vitest";

import { readBundle } from "../../tests/support/read-bundle.ts";
import { bundleFiles, type BundleLimits, usualBundleLimits } from "./bundle-files.ts";

let home = "";

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "slipway-bundle-")));
  onTestFinished(() => rmSync(home, { recursive: true }));
});

const never = new AbortController().signal;

interface Options extends Partial<BundleLimits> {
  readonly deadline?: AbortSignal;
}

async function bundle(paths: readonly string[], { deadline = never, ...limits }: Options = {}) {
  const needs = { home, environment: {}, owner: {}, deadline, signal: never };
  const tar = bundleFiles(paths, { ...needs, limits: { ...usualBundleLimits, ...limits } });
  const { entries, manifest } = await readBundle(await buffer(tar));
  return { names: entries.map(([name]) => name.slice(`files${home}/`.length)), manifest };
}

it("ends at the limit of files, of a glob too", async () => {
  for (const name of ["a", "b", "c"]) writeFileSync(join(home, name), name);
  const { names, manifest } = await bundle(["~/*"], { maxFiles: 2 });
  expect(names).toEqual(["a", "b"]);
  const reason = "the limit is 2 files";
  expect(manifest).toMatchObject({ truncated: true, errors: [{ requested: "~/*", reason }] });
  const each = await bundle(["~/a", "~/b", "~/c"], { maxFiles: 2 });
  expect(each.names).toEqual(["a", "b"]);
  expect(each.manifest).toMatchObject({ errors: [{ requested: "~/c", reason }] });
});

it("ends at the limit of bytes, with what fits of the last file", async () => {
  for (const name of ["a", "b"]) writeFileSync(join(home, name), "x".repeat(2_000));
  const { names, manifest } = await bundle(["~/a", "~/b"], { maxTotalBytes: 2_000 });
  expect(names).toEqual(["a"]);
  expect(manifest).toMatchObject({
    files: [{ size: 2_000, bytes_written: 1_488, truncated: true }],
    errors: [{ requested: "~/b", reason: "the limit is 2000 bytes in all" }],
    truncated: true,
  });
});

it("ends when its time is over", async () => {
  const { names, manifest } = await bundle(["~/a"], { deadline: AbortSignal.abort() });
  expect(names).toEqual([]);
  const reason = "the time for collecting files is over";
  expect(manifest).toMatchObject({ truncated: true, errors: [{ reason }] });
});

it("takes a file whose name looks like a glob, and opens no FIFO", async () => {
  writeFileSync(join(home, "[id].tsx"), "");
  execFileSync("mkfifo", [join(home, "fifo")]);
  const { names, manifest } = await bundle(["~/[id].tsx", "~/fif?"]);
  expect(names).toEqual(["[id].tsx"]);
  expect(manifest).toMatchObject({ errors: [{ reason: expect.stringContaining("regular") }] });
});

it("follows no link below a wildcard, and refuses what could take forever", async () => {
  symlinkSync("/", join(home, "root"));
  const { names, manifest } = await bundle(["~/*/etc/passwd", "~/**/passwd", "~/*a*a*a*a"]);
  expect(names).toEqual([]);
  const reason = expect.stringContaining("too many wildcards");
  expect(manifest).toMatchObject({ errors: [{}, {}, { reason }] });
});
