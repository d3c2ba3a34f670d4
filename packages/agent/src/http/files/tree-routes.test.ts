import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { buffer } from "node:stream/consumers";

import type { FileChange } from "@slipway/api/agents/file-routes";
import { pack } from "tar-stream";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import type { AskApi } from "../../../tests/support/api-client.ts";
import { type FileWorld, openFileWorld, queryOf } from "../../../tests/support/file-world.ts";

let world: FileWorld;

beforeEach(async () => {
  world = await openFileWorld();
});

const at = (name: string): string => world.at(name);
const ask: AskApi = (target, input) => world.ask(target, input);
const files = "/api/v0/files";

describe("an archive", () => {
  it("carries a tree to another place", async () => {
    world.plant({ "from/a": "a", "from/deep/b": "b".repeat(500_000), "from/empty": "" });
    mkdirSync(at("from/folder"), { mode: 0o700 });
    symlinkSync("../a", at("from/deep/link"));
    const tar = await ask(`GET ${files}/archive?${queryOf(at("from"))}`);
    const unpacked = await ask(`PUT ${files}/archive?${queryOf(at("to"))}`, { body: tar.bytes });
    expect(unpacked.body).toEqual({ files: 4, directories: 2, bytes: 500_001 });
    expect(readFileSync(at("to/deep/link"), "utf8")).toBe("a");
    expect(readFileSync(at("to/deep/b"), "utf8")).toBe("b".repeat(500_000));
    expect(statSync(at("to/a")).mtimeMs).toBeCloseTo(statSync(at("from/a")).mtimeMs, -4);
    const again = await ask(`PUT ${files}/archive?${queryOf(at("to"), { overwrite: "false" })}`, {
      body: tar.bytes,
    });
    expect(again.status).toBe(412);
  });

  it("of a file has its name", async () => {
    world.plant({ a: "content" });
    const tar = await ask(`GET ${files}/archive?${queryOf(at("a"))}`);
    await ask(`PUT ${files}/archive?${queryOf(at("to"))}`, { body: tar.bytes });
    expect(readdirSync(at("to"))).toEqual(["a"]);
    expect((await ask(`GET ${files}/archive?${queryOf(at("none"))}`)).status).toBe(404);
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
    const reply = await ask(`PUT ${files}/archive?${queryOf(at("to"))}`, { body });
    expect(reply.status).toBe(400);
    expect(readdirSync(world.home)).toEqual(["to"]);
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
    const reply = await ask(`PUT ${files}/archive?${queryOf(at("to"))}`, {
      body: await buffer(tar),
    });
    expect(reply.status).toBe(400);
    expect(readFileSync(at("outside/file"), "utf8")).toBe("kept");
    expect(readdirSync(at("outside"))).toEqual(["file"]);
    expect(lstatSync(at("to/file")).isSymbolicLink()).toBe(true);
  });

  it.each([
    ["is no tar", Buffer.alloc(2_048, "x")],
    ["breaks off", Buffer.alloc(100)],
  ])("that %s is refused", async (_what, body) => {
    const reply = await ask(`PUT ${files}/archive?${queryOf(at("to"))}`, { body });
    expect(reply.status).toBe(400);
  });

  it("is answered even if it is refused long before its end", async () => {
    const tar = pack();
    tar.entry({ name: "../evil" }, "x");
    tar.entry({ name: "large" }, Buffer.alloc(8_000_000));
    tar.finalize();
    const reply = await ask(`PUT ${files}/archive?${queryOf(at("to"))}`, {
      body: await buffer(tar),
    });
    expect(reply.status).toBe(400);
  });

  it("leaves no part of a file that breaks off", async () => {
    const whole = await entry({ name: "x", size: 4_000 }, "y".repeat(4_000));
    const body = whole.subarray(0, 2_000);
    await ask(`PUT ${files}/archive?${queryOf(at("to"))}`, { body });
    expect(readdirSync(at("to"))).toEqual([]);
  });
});

describe("a watch", () => {
  async function openWatch(path: string, more: Readonly<Record<string, string>> = {}) {
    const url = `ws://127.0.0.1:${world.port}${files}/watch?${queryOf(path, more)}`;
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
    world.plant({ "a/file": "" });
    const seen = await openWatch(world.home, { recursive: "true" });
    writeFileSync(at("a/file"), "new");
    await expect.poll(() => seen).toContainEqual(change("changed", "a/file"));
    world.plant({ "b/c/file": "" });
    await expect.poll(() => seen).toContainEqual(change("created", "b/c/file"));
    seen.length = 0;
    writeFileSync(at("b/c/later"), "");
    await expect.poll(() => seen).toContainEqual(change("created", "b/c/later"));
    rmSync(at("b"), { recursive: true });
    await expect.poll(() => seen).toContainEqual(change("removed", "b"));
  });

  it("of a file goes on when another takes its place", async () => {
    world.plant({ file: "1", other: "2" });
    const seen = await openWatch(at("file"));
    writeFileSync(at("unrelated"), "");
    renameSync(at("other"), at("file"));
    await expect.poll(() => seen).toEqual([change("created", "file")]);
    writeFileSync(at("file"), "3");
    await expect.poll(() => seen).toContainEqual(change("changed", "file"));
  });

  it("says when changes were lost", async () => {
    const seen = await openWatch(world.home);
    for (let count = 0; count < 5_000; count += 1) writeFileSync(at(`file ${count}`), "");
    await expect
      .poll(() => seen, { timeout: 10_000 })
      .toContainEqual({ type: "overflow", path: world.home });
  });

  it("is refused while there are too many", async () => {
    await Promise.all(Array.from({ length: 64 }, () => openWatch(world.home)));
    const more = new WebSocket(`ws://127.0.0.1:${world.port}${files}/watch?${queryOf(world.home)}`);
    const [code, reason] = await once(more, "close");
    expect(code).toBe(1011);
    expect(String(reason)).toBe("The agent runs at most 64 watches at once.");
  });

  it("of nothing is refused", async () => {
    const socket = new WebSocket(
      `ws://127.0.0.1:${world.port}${files}/watch?${queryOf(at("none"))}`,
    );
    const [, response] = await once(socket, "unexpected-response");
    expect(response.statusCode).toBe(404);
    expect(existsSync(at("none"))).toBe(false);
  });
});
