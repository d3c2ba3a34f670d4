import { createHash, randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";

import { type LocalServer, openLocalServer } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import { partName } from "../../src/commands/cp/copy.ts";
import {
  type CommandResult,
  type CommandServer,
  openCommandServer,
} from "../support/command-server.ts";

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
  // The directory is created later.
  const agent = `{ os: linux, arch: amd64, directory: ${remote}/project }`;
  await writeFile(
    join(local, "template/slipway.yaml"),
    `driver: process\nagents: { main: ${agent} }\n`,
  );
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

it("begins where commands do: in the agent's directory, or in the home where that does not exist", async () => {
  await writeFile(join(local, "here.txt"), "here");
  expect(await slipway("cp @/here.txt demo:one.txt")).toMatchObject({
    code: 0,
    err: "copied 1 file, 4 B, to demo:~/one.txt\n",
  });
  expect(await slipway("exec demo -- cat one.txt")).toMatchObject({ out: "here" });
  const project = join(remote, "project");
  await mkdir(project);
  chmodSync(project, 0o777);
  expect(await slipway("cp @/here.txt demo:")).toMatchObject({ code: 0 });
  expect(await slipway("cp demo:here.txt @/back.txt")).toMatchObject({ code: 0 });
  expect(await readFile(join(local, "back.txt"), "utf8")).toBe("here");
  expect(await slipway("exec demo -- cat here.txt")).toMatchObject({ out: "here" });
  expect(await readdir(project)).toEqual(["here.txt"]);
  expect(await slipway("cp demo:~/one.txt @/home.txt")).toMatchObject({ code: 0 });
});

it("copies a tree both ways, without links that lead out", async () => {
  await mkdir(join(local, "tree/deep"), { recursive: true });
  await writeFile(join(local, "tree/deep/file"), "x".repeat(100_000));
  symlinkSync("deep/file", join(local, "tree/link"));
  symlinkSync("/etc/passwd", join(local, "tree/out"));
  expect(await slipway(`cp -r @/tree demo:${remote}/copy`)).toMatchObject({ code: 0 });
  expect(await readFile(join(remote, "copy/link"), "utf8")).toBe("x".repeat(100_000));
  const back = await slipway(`cp -r demo:${remote}/copy @/back`);
  const warning = `warning: ${local}/back/out is a link to "/etc/passwd", outside the directory`;
  expect(back).toMatchObject({ code: 0, err: expect.stringContaining(warning) });
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

/** Writes a tree of 200 files of 20 kB in directories, with an empty directory and a link; returns its listing. */
async function plantTree(path: string): Promise<readonly string[]> {
  for (let count = 0; count < 200; count += 1) {
    const directory = join(path, `d${count % 10}`, "deep");
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, `file ${count}`), `${count}\n`.repeat(5_000));
  }
  await mkdir(join(path, "empty"));
  symlinkSync("d1/deep", join(path, "link"));
  return readTree(path);
}

/** Lists a tree: the paths, and hashes of the contents. */
async function readTree(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const lines = entries.map(async (entry) => {
    const file = join(entry.parentPath, entry.name);
    const content = entry.isFile() ? await readFile(file) : "";
    return `${relative(path, file)} ${createHash("sha256").update(content).digest("hex")}`;
  });
  return (await Promise.all(lines)).toSorted();
}

/**
 * Forwards connections to the server, and breaks one that has carried a million bytes once `isTime` says so. Until then
 * it carries on slowly: what the receiver needs for its next file may still be on its way, in either direction.
 */
async function openBreakingProxy(isTime: () => boolean): Promise<LocalServer> {
  let isBroken = false;
  const port = Number(new URL(commandServer.server.url).port);
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    let bytes = 0;
    const breakWhenDue = async (): Promise<void> => {
      for (let waited = 0; waited < 200 && !isBroken; waited += 10) {
        if (isTime()) {
          isBroken = true;
          near.resetAndDestroy();
          far.destroy();
          return;
        }
        await setTimeout(10);
      }
    };
    const forward = (from: Socket, to: Socket): Promise<void> =>
      pipeline(
        from,
        async function* slow(chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            bytes += chunk.length;
            if (bytes >= 1_000_000) await breakWhenDue();
            yield chunk;
          }
        },
        to,
      ).catch(() => void to.destroy());
    void forward(near, far);
    void forward(far, near);
  });
  return openLocalServer(server);
}

it.each([
  ["to", "found in the workspace"],
  ["from", "found on this machine"],
])("continues a tree whose copy %s a workspace is cut", async (way, text) => {
  const [source, target] = way === "to" ? [local, remote] : [remote, local];
  const name = `whole-${randomUUID()}`;
  const tree = await plantTree(join(source, name));
  // Files come one after the other: the first is whole when there are two.
  await using proxy = await openBreakingProxy(() => {
    const part = readdirSync(target).find((entry) => entry.endsWith(".part"));
    if (part === undefined) return false;
    const entries = readdirSync(join(target, part), { recursive: true, encoding: "utf8" });
    return entries.filter((entry) => entry.includes("/file ")).length >= 2;
  });
  const environment = { ...commandServer.environment, CODER_URL: proxy.url };
  const line =
    way === "to"
      ? `cp -r @/${name} demo:${remote}/copy-of-${name}`
      : `cp -r demo:${remote}/${name} @/copy-of-${name}`;
  const copied = await commandServer.slipway(line, [], "", environment);
  expect(copied).toEqual({ code: 0, out: "", err: expect.stringContaining(text) });
  expect(await readTree(join(target, `copy-of-${name}`))).toEqual(tree);
  expect((await readdir(target)).filter((entry) => entry.endsWith(".part"))).toEqual([]);
});

it("sends only what an earlier copy of a tree has left, and all of what has changed", async () => {
  const source = join(local, "site");
  const old = new Date("2020-01-02T03:04:05Z");
  const plant = async (path: string, text: string, names: readonly string[]): Promise<void> => {
    await mkdir(path, { recursive: true });
    for (const name of names) {
      await writeFile(join(path, name), text);
      await utimes(join(path, name), new Date(), old);
    }
  };
  await plant(source, "new", ["kept", "changed", "missing"]);
  await utimes(join(source, "changed"), new Date(), new Date());
  await plant(join(local, "before"), "old", ["kept", "changed"]);
  const part = partName("site", source);
  expect(await slipway(`cp -r @/before demo:${remote}/${part}`)).toMatchObject({ code: 0 });
  expect(await slipway(`cp -r @/site demo:${remote}/site`)).toMatchObject({
    code: 0,
    err: expect.stringMatching(/^2 files found in the workspace, sending the rest\ncopied 2 files/),
  });
  const read = (path: string, name: string) => readFile(join(path, name), "utf8");
  const names = ["kept", "changed", "missing"];
  // The file that was there differs, which shows that it was kept.
  const texts = ["old", "new", "new"];
  expect(await Promise.all(names.map((name) => read(join(remote, "site"), name)))).toEqual(texts);

  await plant(
    join(local, partName("site-back", `${remote}/site`, join(local, "site-back"))),
    "was",
    ["kept"],
  );
  const back = await slipway(`cp -r demo:${remote}/site @/site-back`);
  expect(back).toMatchObject({ code: 0, err: expect.stringMatching(/^1 file found.*copied 2/s) });
  const fetched = names.map((name) => read(join(local, "site-back"), name));
  expect(await Promise.all(fetched)).toEqual(["was", "new", "new"]);
});

it("leaves out names that are not UTF-8, and says so", async () => {
  await mkdir(join(local, "bytes"));
  await writeFile(join(local, "bytes/plain"), "");
  writeFileSync(Buffer.concat([Buffer.from(join(local, "bytes/")), Buffer.of(0xff)]), "");
  const sent = await slipway(`cp -r @/bytes demo:${remote}/bytes`);
  expect(sent).toMatchObject({ code: 0, err: expect.stringContaining("not UTF-8, skipped") });
  expect(await readdir(join(remote, "bytes"))).toEqual(["plain"]);
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
