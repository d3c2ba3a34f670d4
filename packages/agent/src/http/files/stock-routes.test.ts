import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";

import { beforeEach, describe, expect, it } from "vitest";

import type { AskApi } from "../../../tests/support/api-client.ts";
import { type FileWorld, openFileWorld, queryOf } from "../../../tests/support/file-world.ts";
import { readBundle } from "../../../tests/support/read-bundle.ts";

let world: FileWorld;

beforeEach(async () => {
  world = await openFileWorld();
});

const at = (name: string): string => world.at(name);
const ask: AskApi = (target, input) => world.ask(target, input);

it("resolves the links of what exists, and keeps the rest of a path", async () => {
  mkdirSync(at("real"));
  symlinkSync("real", at("link"));
  symlinkSync("real/new", at("dangling"));
  const resolve = async (path: string) =>
    (await ask(`GET /api/v0/resolve-path?${queryOf(path)}`)).body;
  expect(await resolve(at("link/none/file"))).toEqual({ resolved_path: at("real/none/file") });
  expect(await resolve(at("dangling"))).toEqual({ resolved_path: at("real/new") });
  expect((await ask(`GET /api/v0/resolve-path?${queryOf("real")}`)).status).toBe(400);
});

it("reads a part of a file, with its type", async () => {
  writeFileSync(at("page.html"), "0123456789");
  const read = await ask(
    `GET /api/v0/read-file?${queryOf(at("page.html"), { offset: "2", limit: "3" })}`,
  );
  expect(read.bytes.toString()).toBe("234");
  expect(read.headers).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "content-length": "3",
  });
  expect((await ask(`GET /api/v0/read-file?${queryOf(world.home)}`)).status).toBe(400);
  expect((await ask(`GET /api/v0/read-file?${queryOf(at("none"))}`)).status).toBe(404);
  const unknown = await ask(`GET /api/v0/read-file?${queryOf(world.home, { x: "1" })}`);
  expect(unknown.body).toMatchObject({ validations: [{ field: "x" }] });
});

describe("lines", () => {
  const lines = async (more: Readonly<Record<string, string>> = {}) =>
    (await ask(`GET /api/v0/read-file-lines?${queryOf(at("text"), more)}`)).body;

  it("are numbered, and cut if they are long", async () => {
    writeFileSync(at("text"), `one\r\n${"é".repeat(10)}\nthree`);
    expect(await lines({ offset: "2", max_line_bytes: "5" })).toEqual({
      success: true,
      file_size: 31,
      total_lines: 3,
      lines_read: 2,
      content: "2\téé... [truncated]\n3\tthree",
      error: "",
    });
  });

  it.each([
    ["a large file", { max_file_size: "5" }],
    ["many lines", { max_response_lines: "2" }],
    ["many bytes", { max_response_bytes: "5" }],
    ["a line beyond the end", { offset: "9" }],
    ["line 0", { offset: "0" }],
  ])("are refused for %s", async (_what, more) => {
    writeFileSync(at("text"), "1\n2\n3\n");
    expect(await lines(more)).toMatchObject({ success: false, content: "", error: /./ });
  });

  it("are refused without a file, although the answer is a success", async () => {
    expect(await lines()).toMatchObject({ success: false, file_size: 0 });
  });
});

it("writes a file and the directories above", async () => {
  const path = at("a/b/c");
  const { body } = await ask(`POST /api/v0/write-file?${queryOf(path)}`, {
    body: Buffer.from("x"),
  });
  expect(body).toEqual({ message: expect.stringContaining(path) });
  expect(readFileSync(path, "utf8")).toBe("x");
  const through = await ask(`POST /api/v0/write-file?${queryOf(`${path}/d`)}`, {
    body: Buffer.from("x"),
  });
  expect(through.status).toBe(400);
});

describe("edits of several files", () => {
  const edit = (search: string, replace = "new") => [{ search, replace }];

  it("are written together, with diffs if wanted", async () => {
    for (const name of ["a", "b"]) writeFileSync(at(name), `${name}\n`);
    const change = ["a", "b"].map((name) => ({ path: at(name), edits: edit(name) }));
    const { body } = await ask("POST /api/v0/edit-files", {
      body: { files: change, include_diff: true },
    });
    expect(body).toEqual({
      files: ["a", "b"].map((name) => ({
        path: at(name),
        diff: expect.stringContaining(`-${name}\n+new`),
      })),
    });
    const more = { files: [{ path: at("a"), edits: edit("new", "a") }] };
    expect((await ask("POST /api/v0/edit-files", { body: more })).body).toEqual({});
    expect(readFileSync(at("a"), "utf8")).toBe("a\n");
  });

  it("are written all or none, and the answer names each fault", async () => {
    writeFileSync(at("a"), "a");
    symlinkSync("a", at("alias"));
    const wrong = [
      { path: at("a"), edits: edit("a") },
      { path: at("alias"), edits: edit("a") },
      { path: at("none"), edits: edit("a") },
    ];
    const { status, body } = await ask("POST /api/v0/edit-files", { body: { files: wrong } });
    expect(status).toBe(404);
    expect(body).toEqual({ message: expect.stringMatching(/same file\.\n.*none: /s) });
    expect(readFileSync(at("a"), "utf8")).toBe("a");
  });

  it("of the same path are one after the other", async () => {
    writeFileSync(at("a"), "1");
    const both = [
      { path: at("a"), edits: edit("1", "2") },
      { path: at("a"), edits: edit("2", "3") },
    ];
    await ask("POST /api/v0/edit-files", { body: { files: both } });
    expect(readFileSync(at("a"), "utf8")).toBe("3");
  });
});

describe("a bundle", () => {
  it("has the files that paths, variables and globs name, once each, and what was wrong", async () => {
    const secret = { TOP: world.home, PATH: "/usr/bin:/bin" };
    const other = await openFileWorld({ environment: secret });
    world.plant({ "a.log": "a", "deep/er/b.log": "b", ".n.log": "n", "d.txt": "d" });
    symlinkSync("d.txt", at("link"));
    symlinkSync("..", at("deep/up"));
    const paths = [
      "$TOP/**/*.{log,tmp}",
      `${at("x")}/../a.log`,
      at("link"),
      at("none"),
      "x",
      world.home,
    ];
    const { status, bytes } = await other.ask("POST /api/v0/bundle-files", { body: { paths } });
    expect(status).toBe(200);
    const { entries, manifest } = await readBundle(bytes);
    const files = [".n.log", "a.log", "deep/er/b.log", "d.txt"];
    expect(entries).toEqual(files.map((name) => [`files${at(name)}`, name.at(-5)]));
    expect(manifest).toMatchObject({
      requested: paths,
      files: files.map((name) => ({ path: at(name), archive_path: `files${at(name)}`, size: 1 })),
      errors: [
        { requested: at("none"), path: at("none") },
        { requested: "x", reason: expect.stringContaining("not absolute") },
        { requested: world.home, path: world.home, reason: expect.stringContaining("directory") },
      ],
      truncated: false,
      limits: { max_files: 10_000, max_bytes_per_file: 10_485_760, max_total_bytes: 104_857_600 },
    });
  });

  it("keeps the end of a large file", async () => {
    const size = 10 * 1024 * 1024;
    writeFileSync(at("large"), Buffer.concat([Buffer.from("start"), Buffer.alloc(size, "x")]));
    const body = { paths: ["~/large"] };
    const { bytes } = await ask("POST /api/v0/bundle-files", { body });
    const { entries, manifest } = await readBundle(bytes);
    expect(entries).toEqual([[`files${at("large")}`, "x".repeat(size)]]);
    const file = { size: size + 5, bytes_written: size, truncated: true };
    expect(manifest).toMatchObject({ files: [file], truncated: true });
  });

  it("is refused for a request of more than 64 KiB", async () => {
    const body = { paths: ["x".repeat(64 * 1024)] };
    expect((await ask("POST /api/v0/bundle-files", { body })).status).toBe(413);
  });
});
