import { chmodSync, mkdtempSync, statSync, symlinkSync } from "node:fs";
import { mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { partName } from "../src/commands/cp/copy.ts";
import {
  type CommandResult,
  type CommandServer,
  openCommandServer,
} from "./support/command-server.ts";

const template = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";

let commandServer: CommandServer;
/** A directory that the workspace's user may write to. */
let remote = "";
let local = "";

beforeAll(async () => {
  commandServer = await openCommandServer();
  local = commandServer.directory;
  remote = mkdtempSync(join(tmpdir(), "slipway-cp-"));
  chmodSync(remote, 0o777);
  await mkdir(join(local, "template"));
  await writeFile(join(local, "template/slipway.yaml"), template);
  expect(await slipway("templates push @/template")).toMatchObject({ code: 0 });
  expect(await slipway("create demo -t template")).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await commandServer[Symbol.asyncDispose]();
  await rm(remote, { recursive: true });
});

function slipway(line: string, input?: string): Promise<CommandResult> {
  return commandServer.slipway(line, [], input);
}

it("copies a file both ways, into directories too, with its mode and time", async () => {
  await writeFile(join(local, "a.txt"), "content", { mode: 0o750 });
  await utimes(join(local, "a.txt"), new Date(), new Date("2001-02-03T04:05:06Z"));
  expect(await slipway(`cp -p @/a.txt demo:${remote}`)).toEqual({
    code: 0,
    out: "",
    err: `copied 1 file, 7 B, to demo:${remote}\n`,
  });
  const copied = statSync(join(remote, "a.txt"));
  expect([copied.mode & 0o777, copied.mtime.toISOString()]).toEqual([
    0o750,
    "2001-02-03T04:05:06.000Z",
  ]);
  expect(await slipway(`cp -p demo:${remote}/a.txt @/b.txt`)).toMatchObject({ code: 0 });
  expect(await readFile(join(local, "b.txt"), "utf8")).toBe("content");
  expect(statSync(join(local, "b.txt")).mtime).toEqual(copied.mtime);
});

it("copies a tree both ways, without links that lead out", async () => {
  await mkdir(join(local, "tree/deep"), { recursive: true });
  await writeFile(join(local, "tree/deep/file"), "x".repeat(100_000));
  symlinkSync("deep/file", join(local, "tree/link"));
  symlinkSync("/etc/passwd", join(local, "tree/out"));
  expect(await slipway(`cp -r @/tree demo:${remote}/copy`)).toMatchObject({ code: 0 });
  expect(await readFile(join(remote, "copy/link"), "utf8")).toBe("x".repeat(100_000));
  const back = await slipway(`cp -r demo:${remote}/copy @/back`);
  expect(back).toMatchObject({ code: 0, err: expect.stringContaining("outside the directory") });
  expect(await readFile(join(local, "back/link"), "utf8")).toBe("x".repeat(100_000));
  expect(() => statSync(join(local, "back/out"))).toThrow("ENOENT");
});

it("continues large files where a copy broke off", async () => {
  const content = Buffer.alloc(9_000_000, "large content ");
  const path = join(local, "large");
  await writeFile(path, content);
  // The part that is there differs, which shows that it was kept.
  const there = Buffer.alloc(1_000_000, "from an earlier copy ");
  const { size, mtimeMs } = statSync(path);
  const part = join(remote, partName("large", path, size, mtimeMs));
  await writeFile(join(local, "there"), there);
  expect(await slipway(`cp @/there demo:${part}`)).toMatchObject({ code: 0 });
  expect(await slipway(`cp @/large demo:${remote}/large`)).toMatchObject({ code: 0 });
  const expected = Buffer.concat([there, content.subarray(there.length)]);
  expect((await readFile(join(remote, "large"))).equals(expected)).toBe(true);
  expect(await slipway(`cp demo:${remote}/large @/again`)).toMatchObject({ code: 0 });
  expect((await readFile(join(local, "again"))).equals(expected)).toBe(true);
  expect(await readdir(remote)).not.toContainEqual(expect.stringContaining(".part"));
});

it("takes standard input", async () => {
  expect(await slipway(`cp - demo:${remote}/stdin`, "from stdin")).toMatchObject({ code: 0 });
  expect(await readFile(join(remote, "stdin"), "utf8")).toBe("from stdin");
});

it.each([
  ["cp @/a.txt @/b.txt", 2, "neither path is in a workspace"],
  ["cp demo:a demo:b", 2, "both paths are in workspaces"],
  ["cp demo:/none @/x", 4, "/none"],
  ["cp demo:/etc @/x", 1, "is a directory"],
  ["cp @/none demo:x", 1, "none"],
  ["cp @/tree demo:x", 1, "is a directory"],
  ["cp demo:/dev/zero @/x", 1, "not a regular file"],
  ["cp @/a.txt demo:/proc/version", 4, "/proc/version: no such file"],
])("refuses %s", async (line, code, text) => {
  const result = await slipway(line);
  expect(result.err).toContain(text);
  expect(result.code).toBe(code);
});
