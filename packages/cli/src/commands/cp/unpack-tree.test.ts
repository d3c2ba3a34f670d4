import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

import { writeHalves } from "@slipway/testkit/write-halves";
import { type Header, type Pack, pack } from "tar-stream";
import { beforeEach, expect, it, onTestFinished } from "vitest";

import type { Totals } from "./copy.ts";
import { unpackTree } from "./unpack-tree.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-unpack-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "to"));
  mkdirSync(join(folder, "outside"));
  writeFileSync(join(folder, "outside/file"), "kept");
});

async function* chunksOf(tar: Pack): AsyncGenerator<Uint8Array> {
  yield await buffer(tar);
}

async function unpack(...entries: readonly (Partial<Header> & { readonly text?: string })[]) {
  const tar = pack();
  for (const { text = "", ...header } of entries) tar.entry({ name: "x", ...header }, text);
  tar.finalize();
  const totals = { files: 0, bytes: 0 };
  const skipped = new Set<string>();
  const add = ({ files, bytes }: Totals): void => {
    totals.files += files;
    totals.bytes += bytes;
  };
  const { signal } = new AbortController();
  const options = { keepsModes: false, depth: 0, skipped, add, signal };
  await unpackTree(chunksOf(tar), join(folder, "to"), options);
  return { totals, skipped: [...skipped] };
}

it("writes files, directories and links within", async () => {
  const { totals, skipped } = await unpack(
    { name: "a/b", text: "content" },
    { name: "link", type: "symlink", linkname: "a/b" },
    { name: "a/up", type: "symlink", linkname: "../link" },
    { name: "empty", type: "directory" },
  );
  expect(totals).toEqual({ files: 3, bytes: 7 });
  expect(skipped).toEqual([]);
  expect(readFileSync(join(folder, "to/a/up"), "utf8")).toBe("content");
});

it("writes all of a file, though the system takes a part at a time", async () => {
  using _ = writeHalves();
  await unpack({ name: "a", text: "content" });
  expect(readFileSync(join(folder, "to/a"), "utf8")).toBe("content");
});

it.each(["../x", "a/../../x", "/x", "a\\..\\x", "C:x", "", "."])(
  "refuses the name %j",
  async (name) => {
    await expect(unpack({ name, text: "evil" })).rejects.toThrow();
    expect(readdirSync(join(folder, "to"))).toEqual([]);
  },
);

it.each(["/etc/passwd", "../outside", "a/../../outside", "", "x/.."])(
  "leaves out a link to %j",
  async (linkname) => {
    const { skipped } = await unpack({ name: "link", type: "symlink", linkname });
    expect(skipped).toEqual([expect.stringContaining("outside the directory")]);
    expect(readdirSync(join(folder, "to"))).toEqual([]);
  },
);

it("leaves out devices and the like", async () => {
  const { skipped } = await unpack(
    { name: "fifo", type: "fifo" },
    { name: "d", type: "block-device" },
  );
  expect(skipped).toHaveLength(2);
  expect(readdirSync(join(folder, "to"))).toEqual([]);
});

it.each(["door/file", "file"])("writes through no link that is there: %s", async (name) => {
  symlinkSync("../outside", join(folder, "to/door"));
  symlinkSync("../outside/file", join(folder, "to/file"));
  await expect(unpack({ name, text: "evil" })).rejects.toThrow("link");
  expect(readFileSync(join(folder, "outside/file"), "utf8")).toBe("kept");
  expect(lstatSync(join(folder, "to/file")).isSymbolicLink()).toBe(true);
});

it("leaves no part of a file that breaks off, and the file that it would have replaced", async () => {
  writeFileSync(join(folder, "to/torn"), "old");
  const tar = pack();
  tar.entry({ name: "whole" }, "x");
  tar.entry({ name: "torn" }, "y".repeat(4_000));
  tar.finalize();
  const bytes = await buffer(tar);
  const options = { keepsModes: false, depth: 0, skipped: new Set<string>(), add: () => undefined };
  const broken = async function* broken(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 3_000);
    // The file that is not complete is beside the other.
    await expect.poll(() => readdirSync(join(folder, "to"))).toHaveLength(3);
    throw new Error("the connection is lost");
  };
  const { signal } = new AbortController();
  const unpacking = unpackTree(broken(), join(folder, "to"), { ...options, signal });
  await expect(unpacking).rejects.toThrow("the connection is lost");
  expect(readdirSync(join(folder, "to"))).toEqual(["torn", "whole"]);
  expect(readFileSync(join(folder, "to/torn"), "utf8")).toBe("old");
});

it("leaves out names that are not UTF-8", async () => {
  const { skipped } = await unpack({ name: "a\uFFFD" }, { name: "b" });
  expect(skipped).toEqual([expect.stringContaining("not UTF-8, skipped")]);
  expect(readdirSync(join(folder, "to"))).toEqual(["b"]);
});

it("gives no special permissions", async () => {
  await unpack({ name: "file", mode: 0o4777, text: "x" });
  expect(lstatSync(join(folder, "to/file")).mode & 0o7000).toBe(0);
});
