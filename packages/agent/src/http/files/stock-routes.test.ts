import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { type AskApi, openRoutes } from "../../../tests/support/api-client.ts";
import { fileRoutes } from "./file-routes.ts";

let home: string;
let ask: AskApi;

beforeEach(async () => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "slipway-stock-files-")));
  onTestFinished(() => rmSync(home, { recursive: true }));
  ({ ask } = await openRoutes(fileRoutes({ home, clock: systemClock, isBlocked: false })));
});

const at = (name: string): string => join(home, name);
const query = (path: string, more: Readonly<Record<string, string>> = {}): string =>
  new URLSearchParams({ path, ...more }).toString();

it("resolves the links of what exists, and keeps the rest of a path", async () => {
  mkdirSync(at("real"));
  symlinkSync("real", at("link"));
  symlinkSync("real/new", at("dangling"));
  const resolve = async (path: string) =>
    (await ask(`GET /api/v0/resolve-path?${query(path)}`)).body;
  expect(await resolve(at("link/none/file"))).toEqual({ resolved_path: at("real/none/file") });
  expect(await resolve(at("dangling"))).toEqual({ resolved_path: at("real/new") });
  expect((await ask(`GET /api/v0/resolve-path?${query("real")}`)).status).toBe(400);
});

it("reads a part of a file, with its type", async () => {
  writeFileSync(at("page.html"), "0123456789");
  const read = await ask(
    `GET /api/v0/read-file?${query(at("page.html"), { offset: "2", limit: "3" })}`,
  );
  expect(read.bytes.toString()).toBe("234");
  expect(read.headers).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "content-length": "3",
  });
  expect((await ask(`GET /api/v0/read-file?${query(home)}`)).status).toBe(400);
  expect((await ask(`GET /api/v0/read-file?${query(at("none"))}`)).status).toBe(404);
  const unknown = await ask(`GET /api/v0/read-file?${query(home, { x: "1" })}`);
  expect(unknown.body).toMatchObject({ validations: [{ field: "x" }] });
});

describe("lines", () => {
  const lines = async (more: Readonly<Record<string, string>> = {}) =>
    (await ask(`GET /api/v0/read-file-lines?${query(at("text"), more)}`)).body;

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
  const { body } = await ask(`POST /api/v0/write-file?${query(path)}`, { body: Buffer.from("x") });
  expect(body).toEqual({ message: expect.stringContaining(path) });
  expect(readFileSync(path, "utf8")).toBe("x");
  const through = await ask(`POST /api/v0/write-file?${query(`${path}/d`)}`, {
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
