import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGzip } from "node:zlib";

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { packTree, plain, withoutEnd } from "./pack-tree.ts";
import { compressions, writeCompressed } from "./write-compressed.ts";

let output: string;

beforeEach(async () => {
  output = await mkdtemp(join(tmpdir(), "slipway-test-"));
  onTestFinished(() => rm(output, { recursive: true, force: true }));
});

const needs = { report: () => undefined, signal: new AbortController().signal };

function run(program: string, ...args: readonly string[]): string {
  return spawnSync(program, args, { cwd: output, encoding: "utf8" }).stdout;
}

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe("writeCompressed", () => {
  it("writes one archive of several parts, of which one is not compressed, as tar reads it", async () => {
    const path = join(output, "all.tar.gz");
    const stored = Buffer.alloc(50_000, "stored");
    const first = [plain("first", Buffer.alloc(3_000, "a"))];
    const last = [plain("more/last", stored)];
    const parts = [
      {
        tar: withoutEnd(packTree("all", first)),
        compressor: compressions["tar.gz"](),
      },
      { tar: packTree("all", last, first), compressor: createGzip({ level: 0 }) },
    ];
    await writeCompressed(path, { parts, ...needs });
    expect(run("tar", "-tzf", path).split("\n").filter(Boolean)).toEqual([
      "all/",
      "all/first",
      "all/more/",
      "all/more/last",
    ]);
    expect(run("tar", "-xzOf", path, "all/more/last")).toBe(stored.toString());
    expect(run("sha256sum", "--check", "all.tar.gz.sha256")).toBe("all.tar.gz: OK\n");
  });

  it("writes the same bytes, in whatever chunks the content comes", async () => {
    const tar = Buffer.alloc(1_000_000);
    for (let at = 0; at < tar.length; at += 1) tar[at] = (at * at) % 251;
    const sums: string[] = [];
    for (const size of [700, 65_536, 300_000, 1_000_000]) {
      const path = join(output, `${size}.tar.zst`);
      const parts = [{ tar: inChunks(tar, size), compressor: compressions["tar.zst"]() }];
      await writeCompressed(path, { parts, ...needs });
      sums.push(run("sha256sum", path).slice(0, 64));
    }
    expect(new Set(sums).size).toBe(1);
  });

  it("leaves nothing of an archive whose content fails", async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(1_000);
      throw new Error("unreadable");
    }
    const parts = [{ tar: broken(), compressor: compressions["tar.gz"]() }];
    const written = writeCompressed(join(output, "all.tar.gz"), { parts, ...needs });
    await expect(written).rejects.toThrow("unreadable");
    expect(await readdir(output)).toEqual([]);
  });
});

describe("withoutEnd", () => {
  it.each([1, 100, 1_024, 5_000])("cuts the end off chunks of %d bytes", async (size) => {
    const tar = Buffer.alloc(5_000, "t");
    const left = await Array.fromAsync(withoutEnd(inChunks(tar, size)));
    expect(Buffer.concat(left).toString()).toBe("t".repeat(5_000 - 1_024));
  });
});
