import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

import { beforeEach, expect, it, onTestFinished } from "vitest";

import { packTree } from "./pack-tree.ts";
import { unpackTree } from "./unpack-tree.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-archive-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "a/b"), { recursive: true });
  for (const name of ["a/x", "a/y", "a/b/z"]) writeFileSync(join(folder, name), "");
});

const needs = { owner: {}, signal: new AbortController().signal };
const tree = (): Buffer => Buffer.from(join(folder, "a"));

it("refuses to archive a tree with too many entries", async () => {
  const limits = { maxEntries: 3, maxDirectoryEntries: 10 };
  await expect(packTree(tree(), { ...needs, limits })).rejects.toMatchObject({
    code: "too-large",
    message: "the tree has more than 3 entries",
  });
});

it("refuses to archive a directory with too many entries", async () => {
  const limits = { maxEntries: 10, maxDirectoryEntries: 2 };
  await expect(packTree(tree(), { ...needs, limits })).rejects.toMatchObject({
    code: "too-large",
    message: "the directory has more than 2 entries",
  });
});

it("ends an archive with too many entries at the limit", async () => {
  const tar = await buffer(await packTree(tree(), needs));
  const target = Buffer.from(join(folder, "to"));
  const options = { ...needs, overwrites: true, maxEntries: 3 };
  await expect(
    unpackTree(target, Readable.from([tar], { objectMode: false }), options),
  ).rejects.toMatchObject({
    code: "too-large",
    message: "the archive has more than 3 entries",
  });
  expect(readdirSync(join(folder, "to")).toSorted()).toEqual(["b", "x"]);
});
