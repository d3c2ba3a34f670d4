import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request as openRequest } from "node:http";

import { beforeEach, describe, expect, it } from "vitest";

import type { AskApi } from "../../../tests/support/api-client.ts";
import { type FileWorld, openFileWorld, queryOf } from "../../../tests/support/file-world.ts";

let world: FileWorld;

beforeEach(async () => {
  world = await openFileWorld();
});

const at = (name: string): string => world.at(name);
const ask: AskApi = (target, input) => world.ask(target, input);
const files = "/api/v0/files";

describe("a directory", () => {
  it("is listed in pages, in the order of its names", async () => {
    const names = ["a", "b\nc", "d e", "é"];
    for (const name of names) writeFileSync(at(name), name);
    mkdirSync(at("c"));
    symlinkSync("a", at("link"));
    const found: unknown[] = [];
    for (let after: string | undefined = ""; after !== undefined;) {
      const more = after === "" ? {} : { after };
      const { body } = await ask(`GET ${files}?${queryOf(world.home, { limit: "2", ...more })}`);
      expect(body).toMatchObject({ path: world.home });
      found.push(...(body?.entries ?? []).map(({ name }) => name));
      after = body?.next;
    }
    expect(found).toEqual(["a", "b\nc", "c", "d e", "link", "é"]);
  });

  it("lists names that are not UTF-8, and goes on after them", async () => {
    for (const byte of [0xfe, 0xff]) {
      writeFileSync(Buffer.concat([Buffer.from(`${world.home}/`), Buffer.of(byte)]), "");
    }
    const { body } = await ask(`GET ${files}?${queryOf(world.home, { limit: "1" })}`);
    const { next = "" } = body ?? {};
    const rest = await ask(`GET ${files}?${queryOf(world.home, { limit: "1", after: next })}`);
    expect(rest.body).toMatchObject({ entries: [{ name: "\uFFFD" }] });
    expect(rest.body).not.toHaveProperty("next");
  });

  it("is created, with those above if wanted", async () => {
    const make = (body: object) => ask(`POST ${files}/directories`, { body });
    expect((await make({ path: at("x/y") })).status).toBe(404);
    const made = await make({ path: "~/x/y", parents: true, mode: "700" });
    expect(made.body).toMatchObject({ path: at("x/y"), type: "directory", mode: 0o700 });
    expect((await make({ path: at("x/y") })).status).toBe(409);
    expect((await make({ path: at("x/y"), parents: true })).status).toBe(200);
  });

  it("is removed with its content only if wanted, and no link is followed", async () => {
    mkdirSync(at("keep"));
    writeFileSync(at("keep/file"), "");
    mkdirSync(at("gone/deep"), { recursive: true });
    writeFileSync(at("gone/deep/file"), "");
    symlinkSync(at("keep"), at("gone/link"));
    const remove = (body: object) => ask(`POST ${files}/remove`, { body });
    expect((await remove({ path: at("gone") })).status).toBe(409);
    const removed = await remove({ path: at("gone"), recursive: true });
    expect(removed.body).toEqual({ removed: 4 });
    expect(readdirSync(world.home)).toEqual(["keep"]);
    expect(existsSync(at("keep/file"))).toBe(true);
    expect((await remove({ path: at("none") })).status).toBe(404);
    for (const path of [
      "/",
      `${world.home}/keep/..`,
      `${world.home}/keep/.`,
      `${world.home}/keep/../`,
    ]) {
      expect((await remove({ path, recursive: true })).status, path).toBe(400);
    }
  });
});

describe("a file", () => {
  it("is written as a whole, and read in parts", async () => {
    const content = Buffer.alloc(1_000_000, "content ");
    const target = `${files}/content?${queryOf(at("deep/file"), { parents: "true", mode: "640" })}`;
    const written = await ask(`PUT ${target}`, { body: content });
    expect(written.body).toMatchObject({ size: content.length, mode: 0o640, type: "file" });
    const whole = await ask(`GET ${files}/content?${queryOf(at("deep/file"))}`);
    expect(whole.bytes.equals(content)).toBe(true);
    const part = await ask(
      `GET ${files}/content?${queryOf(at("deep/file"), { offset: "999990", limit: "20" })}`,
    );
    expect(part.bytes.equals(content.subarray(999_990))).toBe(true);
    expect(part.headers).toMatchObject({ "content-length": "10", etag: whole.headers.etag });
    expect(written.body?.etag).toBe(whole.headers.etag);
    expect(readdirSync(at("deep"))).toEqual(["file"]);
  });

  it("keeps its permissions and its link when it is replaced", async () => {
    writeFileSync(at("real"), "old");
    chmodSync(at("real"), 0o755);
    symlinkSync("real", at("link"));
    await ask(`PUT ${files}/content?${queryOf(at("link"))}`, { body: Buffer.from("new") });
    expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
    expect(readFileSync(at("real"), "utf8")).toBe("new");
    expect(statSync(at("real")).mode & 0o777).toBe(0o755);
  });

  it("stays as it was when the content breaks off", async () => {
    writeFileSync(at("file"), "old");
    const path = `${files}/content?${queryOf(at("file"))}`;
    const sent = openRequest({ host: "127.0.0.1", port: world.port, method: "PUT", path });
    sent.on("error", () => undefined);
    sent.write("new");
    await expect.poll(() => readdirSync(world.home).length).toBe(2);
    sent.destroy();
    await expect.poll(() => readdirSync(world.home)).toEqual(["file"]);
    expect(readFileSync(at("file"), "utf8")).toBe("old");
  });

  it("is written only under the condition of the request", async () => {
    const target = `PUT ${files}/content?${queryOf(at("file"))}`;
    const body = Buffer.from("x");
    const absent = { "if-none-match": "*" };
    const first = await ask(target, { body, headers: absent });
    const { etag = "" } = first.body ?? {};
    expect((await ask(target, { body, headers: absent })).status).toBe(412);
    expect((await ask(target, { body, headers: { "if-match": etag } })).status).toBe(200);
    expect((await ask(target, { body, headers: { "if-match": etag } })).status).toBe(412);
    const read = `GET ${files}/content?${queryOf(at("file"))}`;
    expect((await ask(read, { headers: { "if-match": etag } })).status).toBe(412);
  });

  it("is continued from an offset within it", async () => {
    const write = (offset: string, text: string) =>
      ask(`PUT ${files}/content?${queryOf(at("file"), { offset })}`, { body: Buffer.from(text) });
    expect((await write("1", "x")).status).toBe(404);
    await write("0", "hello world");
    await write("6", "you");
    expect(readFileSync(at("file"), "utf8")).toBe("hello you");
    expect((await write("10", "x")).status).toBe(412);
  });

  it("is edited, with a diff", async () => {
    writeFileSync(at("file"), "one\ntwo\n");
    const edits = [{ search: "two", replace: "2" }];
    const { body } = await ask(`POST ${files}/edit`, { body: { path: at("file"), edits } });
    expect(body).toMatchObject({ file: { size: 6 }, diff: expect.stringContaining("-two\n+2") });
    const again = await ask(`POST ${files}/edit`, { body: { path: at("file"), edits } });
    expect(again.status).toBe(400);
    const stale = { path: at("file"), edits: [{ search: "2", replace: "3" }], if_match: '"x"' };
    expect((await ask(`POST ${files}/edit`, { body: stale })).status).toBe(412);
  });

  it("is moved, and replaces another only if wanted", async () => {
    writeFileSync(at("a"), "a");
    writeFileSync(at("b"), "b");
    const move = (body: object) => ask(`POST ${files}/move`, { body });
    expect((await move({ from: at("a"), to: at("b") })).status).toBe(409);
    expect((await move({ from: at("a"), to: at("b"), overwrite: true })).status).toBe(200);
    expect(readFileSync(at("b"), "utf8")).toBe("a");
    expect((await move({ from: at("a"), to: at("c") })).status).toBe(404);
  });
});

describe("a limit", () => {
  it("holds for files that are edited", async () => {
    const limit = 4 * 1024 * 1024;
    writeFileSync(at("file"), "x".repeat(limit));
    const edit = (search: string, replace: string) =>
      ask(`POST ${files}/edit`, { body: { path: at("file"), edits: [{ search, replace }] } });
    const growing = "x".repeat(limit);
    expect((await edit(growing, `${growing}y`)).status).toBe(413);
    writeFileSync(at("file"), "y".repeat(limit + 1));
    expect((await edit("y", "z")).body).toMatchObject({ code: "too-large" });
  });

  it("holds for edits of a request, and for paths", async () => {
    writeFileSync(at("file"), "x");
    const edits = Array.from({ length: 257 }, () => ({ search: "x", replace: "x" }));
    const many = await ask(`POST ${files}/edit`, { body: { path: at("file"), edits } });
    expect(many.status).toBe(400);
    expect((await ask(`GET ${files}/stat?${queryOf(`/${"x/".repeat(2_100)}`)}`)).status).toBe(400);
  });

  it("holds for the page of a directory", async () => {
    for (let count = 0; count <= 1_000; count += 1) writeFileSync(at(`${count}`), "");
    const { body } = await ask(`GET ${files}?${queryOf(world.home, { limit: "5000" })}`);
    expect(body?.entries).toHaveLength(1_000);
    expect(body?.next).toBeDefined();
  });
});

describe("what is no file", () => {
  it("is neither read nor replaced, and holds nothing up", async () => {
    execFileSync("mkfifo", [at("fifo")]);
    mkdirSync(at("folder"));
    for (const path of [at("fifo"), at("folder"), "/dev/zero"]) {
      expect((await ask(`GET ${files}/content?${queryOf(path)}`)).status, path).toBe(400);
      const body = Buffer.from("x");
      expect((await ask(`PUT ${files}/content?${queryOf(path)}`, { body })).status, path).toBe(400);
    }
    expect(lstatSync(at("fifo")).isFIFO()).toBe(true);
  });

  it("has no size in /proc, and is read to its end", async () => {
    const { bytes } = await ask(`GET ${files}/content?${queryOf("/proc/self/status")}`);
    expect(bytes.toString()).toContain("VmRSS");
    const endless = await ask(`GET ${files}/stat?${queryOf("/proc/self/status")}`);
    expect(endless.body).toMatchObject({ type: "file", size: 0 });
  });
});

it("reads at most 64 MiB of a file without a size", async () => {
  // It has a number for each page of the memory that a process may have.
  const { bytes } = await ask(`GET ${files}/content?${queryOf("/proc/self/pagemap")}`);
  expect(bytes).toHaveLength(64 * 1024 * 1024);
});

describe("a wrong request", () => {
  it.each([
    ["GET", files],
    ["GET", `${files}?path=relative`],
    ["GET", `${files}?path=/&path2=/`],
    ["GET", `${files}?path=%00`],
    ["GET", `${files}?path=/%00`],
    ["GET", `${files}/content?path=/etc/passwd&offset=-1`],
    ["PUT", `${files}/content?path=/x&mode=999`],
    ["POST", `${files}/edit`],
  ])("%s %s is refused", async (method, path) => {
    const { status, body } = await ask(
      `${method} ${path}`,
      method === "GET" ? {} : { body: { path: 1 } },
    );
    expect(status).toBe(400);
    expect(body).toMatchObject({ message: expect.any(String) });
  });

  it("gets a code for programs", async () => {
    const none = await ask(`GET ${files}/content?${queryOf(at("none"))}`);
    expect(none).toMatchObject({ status: 404, body: { code: "not-found" } });
    const folder = await ask(`GET ${files}/content?${queryOf(world.home)}`);
    expect(folder).toMatchObject({ status: 400, body: { code: "wrong-type" } });
  });

  it("follows no circle of links", async () => {
    symlinkSync("b", at("a"));
    symlinkSync("a", at("b"));
    const body = Buffer.from("x");
    expect((await ask(`PUT ${files}/content?${queryOf(at("a"))}`, { body })).status).toBe(400);
    expect((await ask(`GET ${files}/content?${queryOf(at("a"))}`)).status).toBe(400);
  });
});

it("moves no content where file transfer is blocked", async () => {
  const blocked = await openFileWorld({ isBlocked: true });
  for (const target of [
    `GET ${files}/content?${queryOf("/etc/passwd")}`,
    `GET /api/v0/read-file?${queryOf("/etc/passwd")}`,
    `PUT ${files}/content?${queryOf(at("x"))}`,
  ]) {
    expect((await blocked.ask(target)).status, target).toBe(403);
  }
});
