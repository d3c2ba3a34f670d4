import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

import type { FileChange } from "@slipway/api/agents/file-routes";
import { systemClock } from "@slipway/runtime";
import { pack } from "tar-stream";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import { type ApiReply, type AskApi, openRoutes } from "../../../tests/support/api-client.ts";
import { fileRoutes } from "./file-routes.ts";

let home: string;
let ask: AskApi;
let port: number;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "slipway-trees-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const routes = fileRoutes({ home, clock: systemClock, isBlocked: false });
  ({ ask, port } = await openRoutes(routes));
});

const at = (name: string): string => join(home, name);
const query = (path: string, more: Readonly<Record<string, string>> = {}): string =>
  new URLSearchParams({ path, ...more }).toString();
const files = "/api/v0/files";

/** Writes files by their paths, and creates the directories above. */
function plant(contents: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(contents)) {
    mkdirSync(join(at(name), ".."), { recursive: true });
    writeFileSync(at(name), content);
  }
}

describe("a search", () => {
  const search = async (pattern: string, more: object = {}): Promise<ApiReply> =>
    ask(`POST ${files}/search`, { body: { path: home, pattern, ...more } });
  const match = (name: string, line: number, text: string) => ({ path: at(name), line, text });

  it("finds lines in the order of the files, without hidden and ignored ones", async () => {
    plant({
      "b.ts": "let a = 1;\r\nlet b = 22;\n",
      "a/deep.ts": "\n\nlet c = 3;",
      ".hidden": "let d = 4;",
      ".gitignore": "*.log\n/out/\n",
      "x.log": "let e = 5;",
      "out/y.ts": "let f = 6;",
      "a/.gitignore": "!x.log",
      "a/x.log": "let g = 7;",
      binary: "let h = 8;\0",
    });
    symlinkSync("a", at("link"));
    const { body } = await search(String.raw`let (\w) = \d+;`);
    expect(body).toEqual({
      matches: [
        match("a/deep.ts", 3, "let c = 3;"),
        match("a/x.log", 1, "let g = 7;"),
        match("b.ts", 1, "let a = 1;"),
        match("b.ts", 2, "let b = 22;"),
      ],
    });
    expect((await search("let", { all: true })).body).toMatchObject({
      matches: expect.arrayContaining([match(".hidden", 1, "let d = 4;")]),
    });
  });

  it("takes texts, globs, and letters of either case", async () => {
    plant({ "a.ts": "A+b\naab\n", "a.js": "a+b\n", "t/a.ts": "a+b\n" });
    const options = { literal: true, ignore_case: true, globs: ["*.ts", "!t/*"] };
    expect((await search("a+B", options)).body).toEqual({ matches: [match("a.ts", 1, "A+b")] });
  });

  it("says which limit ended it", async () => {
    plant({ a: "x\n".repeat(100), b: `${"y".repeat(5_000)}\n`.repeat(2_000) });
    expect((await search("x", { limit: 3 })).body).toMatchObject({ truncated_by: "matches" });
    const { body } = await search("y", { limit: 5_000 });
    expect(body).toMatchObject({ truncated_by: "bytes" });
  });

  it("is not held up by any pattern, nor by long lines", async () => {
    plant({ a: `${"a".repeat(300_000)}!\nb\n` });
    expect((await search("(a+)+c$")).body).toEqual({ matches: [] });
    expect((await search("b")).body).toEqual({ matches: [match("a", 2, "b")] });
    for (const pattern of ["((a{100}){100}){100}", "(", "a{1001}"]) {
      expect((await search(pattern)).status, pattern).toBe(400);
    }
  });

  it("fails for what is not there", async () => {
    const none = await ask(`POST ${files}/search`, { body: { path: at("none"), pattern: "x" } });
    expect(none.status).toBe(404);
  });
});

describe("an archive", () => {
  it("carries a tree to another place", async () => {
    plant({ "from/a": "a", "from/deep/b": "b".repeat(500_000), "from/empty": "" });
    mkdirSync(at("from/folder"), { mode: 0o700 });
    symlinkSync("../a", at("from/deep/link"));
    const tar = await ask(`GET ${files}/archive?${query(at("from"))}`);
    const unpacked = await ask(`PUT ${files}/archive?${query(at("to"))}`, { body: tar.bytes });
    expect(unpacked.body).toEqual({ files: 4, directories: 2, bytes: 500_001 });
    expect(readFileSync(at("to/deep/link"), "utf8")).toBe("a");
    expect(readFileSync(at("to/deep/b"), "utf8")).toBe("b".repeat(500_000));
    expect(statSync(at("to/a")).mtimeMs).toBeCloseTo(statSync(at("from/a")).mtimeMs, -4);
    const again = await ask(`PUT ${files}/archive?${query(at("to"), { overwrite: "false" })}`, {
      body: tar.bytes,
    });
    expect(again.status).toBe(412);
  });

  it("of a file has its name", async () => {
    plant({ a: "content" });
    const tar = await ask(`GET ${files}/archive?${query(at("a"))}`);
    await ask(`PUT ${files}/archive?${query(at("to"))}`, { body: tar.bytes });
    expect(readdirSync(at("to"))).toEqual(["a"]);
    expect((await ask(`GET ${files}/archive?${query(at("none"))}`)).status).toBe(404);
  });

  const entry = (header: object, content = "evil"): Promise<Buffer> => {
    const tar = pack();
    tar.entry({ name: "x", ...header }, content);
    tar.finalize();
    return buffer(tar);
  };

  it.each([
    ["upwards", { name: "../evil" }],
    ["upwards in the middle", { name: "a/../../evil" }],
    ["to an absolute path", { name: "/evil" }],
    ["a device", { type: "character-device", devmajor: 1, devminor: 5 }],
    ["a FIFO", { type: "fifo" }],
    ["a hard link", { type: "link", linkname: "/etc/passwd" }],
    ["a deep path", { name: `${"a/".repeat(200)}b` }],
    ["a long name", { name: "a".repeat(300) }],
  ])("that leads %s is refused", async (_what, header) => {
    const body = await entry(header, "type" in header ? "" : "evil");
    const reply = await ask(`PUT ${files}/archive?${query(at("to"))}`, { body });
    expect(reply.status).toBe(400);
    expect(readdirSync(home)).toEqual(["to"]);
    expect(readdirSync(at("to"))).toEqual([]);
  });

  it.each(["brings", "finds"])("writes through no link that it %s", async (which) => {
    mkdirSync(at("outside"));
    mkdirSync(at("to"));
    writeFileSync(at("outside/file"), "kept");
    const tar = pack();
    if (which === "brings") {
      tar.entry({ name: "door", type: "symlink", linkname: at("outside") });
      tar.entry({ name: "file", type: "symlink", linkname: at("outside/file") });
    } else {
      symlinkSync(at("outside"), at("to/door"));
      symlinkSync(at("outside/file"), at("to/file"));
    }
    tar.entry({ name: which === "brings" ? "door/file" : "file" }, "evil");
    tar.finalize();
    const reply = await ask(`PUT ${files}/archive?${query(at("to"))}`, { body: await buffer(tar) });
    expect(reply.status).toBe(400);
    expect(readFileSync(at("outside/file"), "utf8")).toBe("kept");
    expect(readdirSync(at("outside"))).toEqual(["file"]);
    expect(lstatSync(at("to/file")).isSymbolicLink()).toBe(true);
  });

  it.each([
    ["is no tar", Buffer.alloc(2_048, "x")],
    ["breaks off", Buffer.alloc(100)],
  ])("that %s is refused", async (_what, body) => {
    const reply = await ask(`PUT ${files}/archive?${query(at("to"))}`, { body });
    expect(reply.status).toBe(400);
  });

  it("is answered even if it is refused long before its end", async () => {
    const tar = pack();
    tar.entry({ name: "../evil" }, "x");
    tar.entry({ name: "large" }, Buffer.alloc(8_000_000));
    tar.finalize();
    const reply = await ask(`PUT ${files}/archive?${query(at("to"))}`, { body: await buffer(tar) });
    expect(reply.status).toBe(400);
  });

  it("leaves no part of a file that breaks off", async () => {
    const whole = await entry({ name: "x", size: 4_000 }, "y".repeat(4_000));
    const body = whole.subarray(0, 2_000);
    await ask(`PUT ${files}/archive?${query(at("to"))}`, { body });
    expect(readdirSync(at("to"))).toEqual([]);
  });
});

describe("a watch", () => {
  async function openWatch(path: string, more: Readonly<Record<string, string>> = {}) {
    const url = `ws://127.0.0.1:${port}${files}/watch?${query(path, more)}`;
    const socket = new WebSocket(url);
    onTestFinished(() => socket.terminate());
    const seen: FileChange[] = [];
    const begun = once(socket, "message");
    socket.on("message", (data: Buffer) => {
      const { changes }: { readonly changes: readonly FileChange[] } = JSON.parse(data.toString());
      seen.push(...changes);
    });
    await begun;
    return seen;
  }

  const change = (type: FileChange["type"], name: string) => ({ type, path: at(name) });

  it("tells what comes, changes and goes below a directory, also in new ones", async () => {
    plant({ "a/file": "" });
    const seen = await openWatch(home, { recursive: "true" });
    writeFileSync(at("a/file"), "new");
    await expect.poll(() => seen).toContainEqual(change("changed", "a/file"));
    plant({ "b/c/file": "" });
    await expect.poll(() => seen).toContainEqual(change("created", "b/c/file"));
    seen.length = 0;
    writeFileSync(at("b/c/later"), "");
    await expect.poll(() => seen).toContainEqual(change("created", "b/c/later"));
    rmSync(at("b"), { recursive: true });
    await expect.poll(() => seen).toContainEqual(change("removed", "b"));
  });

  it("of a file goes on when another takes its place", async () => {
    plant({ file: "1", other: "2" });
    const seen = await openWatch(at("file"));
    writeFileSync(at("unrelated"), "");
    renameSync(at("other"), at("file"));
    await expect.poll(() => seen).toEqual([change("created", "file")]);
    writeFileSync(at("file"), "3");
    await expect.poll(() => seen).toContainEqual(change("changed", "file"));
  });

  it("says when changes were lost", async () => {
    const seen = await openWatch(home);
    for (let count = 0; count < 5_000; count += 1) writeFileSync(at(`file ${count}`), "");
    await expect
      .poll(() => seen, { timeout: 10_000 })
      .toContainEqual({ type: "overflow", path: home });
  });

  it("is refused while there are too many", async () => {
    await Promise.all(Array.from({ length: 64 }, () => openWatch(home)));
    const more = new WebSocket(`ws://127.0.0.1:${port}${files}/watch?${query(home)}`);
    const [code, reason] = await once(more, "close");
    expect(code).toBe(1011);
    expect(String(reason)).toBe("The agent runs at most 64 watches at once.");
  });

  it("of nothing is refused", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${files}/watch?${query(at("none"))}`);
    const [, response] = await once(socket, "unexpected-response");
    expect(response.statusCode).toBe(404);
    expect(existsSync(at("none"))).toBe(false);
  });
});
