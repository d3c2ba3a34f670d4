import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request as openRequest } from "node:http";

import { beforeEach, describe, expect, it } from "vitest";

import type { ApiReply } from "../../../tests/support/api-client.ts";
import { isAlive } from "../../../tests/support/command-host.ts";
import { type FileWorld, openFileWorld } from "../../../tests/support/file-world.ts";

/*
 * Searches find the same whether the workspace has ripgrep or not. `vitest.config.ts` says so where the machine has none.
 */

const none = { name: "our own search", path: "/nonexistent" };
const ripgrep = spawnSync("sh", ["-c", "command -v rg"]).stdout.toString().trim();
const installed = ripgrep === "" ? [] : [{ name: "ripgrep", path: ripgrep.replace(/\/rg$/, "") }];

const route = "/api/v0/files/search";

let world: FileWorld;
const at = (name: string): string => world.at(name);

async function search(pattern: string, more: object = {}): Promise<ApiReply> {
  return world.ask(`POST ${route}`, { body: { path: world.home, pattern, ...more } });
}

const match = (name: string, line: number, text: string) => ({ path: at(name), line, text });

describe.each([none, ...installed])("$name", ({ path }) => {
  beforeEach(async () => {
    world = await openFileWorld({ environment: { PATH: path } });
  });

  it("finds lines in the order of the files, without hidden and ignored ones", async () => {
    world.plant({
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
    symlinkSync("b.ts", at("link.ts"));
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

  it("follows the stronger of two ignore files, wherever they are", async () => {
    world.plant({
      ".ignore": "!keep.log\n!.wanted\n",
      "a/.gitignore": "*.log\n",
      "a/keep.log": "x",
      "a/other.log": "x",
      ".wanted": "x",
      ".rgignore": "secret\n",
      secret: "x",
    });
    expect((await search("x")).body).toEqual({
      matches: [match(".wanted", 1, "x"), match("a/keep.log", 1, "x")],
    });
  });

  it("takes texts, globs with alternatives, and letters of either case", async () => {
    world.plant({ "a.ts": "A+b\naab\n", "a.js": "a+b\n", "a.md": "a+b\n", "t/a.ts": "a+b\n" });
    const options = { literal: true, ignore_case: true, globs: ["*.{ts,js}", "!t/*"] };
    expect((await search("a+B", options)).body).toEqual({
      matches: [match("a.js", 1, "a+b"), match("a.ts", 1, "A+b")],
    });
    const { status, body } = await search("a", { globs: ["*a*a*a*a*"] });
    expect(status).toBe(400);
    expect(body).toMatchObject({ message: expect.stringContaining("too many wildcards") });
  });

  it("searches files with any name", async () => {
    const names = ["--pre=sh", "-e", "a\nb", " ", "$(touch x)", "é"];
    world.plant(Object.fromEntries(names.map((name) => [name, "word"])));
    writeFileSync(Buffer.concat([Buffer.from(`${at("")}/`), Buffer.of(0xff)]), "word");
    const { body } = await search("word");
    const sorted = [" ", "$(touch x)", "--pre=sh", "-e", "a\nb", "é", "\uFFFD"];
    expect(body).toEqual({ matches: sorted.map((name) => match(name, 1, "word")) });
    expect(existsSync(at("x"))).toBe(false);
    expect((await search("-e")).body).toEqual({ matches: [] });
  });

  it("says which limit ended it", async () => {
    world.plant({ a: "x\n".repeat(100), b: `${"y".repeat(900)}\n`.repeat(2_000) });
    const few = await search("x", { limit: 3 });
    expect(few.body).toMatchObject({ truncated_by: "matches" });
    expect(few.body).toMatchObject({ matches: [1, 2, 3].map((line) => match("a", line, "x")) });
    const { body } = await search("y", { limit: 5_000 });
    expect(body).toMatchObject({ truncated_by: "bytes" });
  });

  it("leaves out large files, and the rest of long lines, which it cuts", async () => {
    world.plant({
      large: `word\n${"x".repeat(16 * 1024 * 1024)}`,
      long: `word ${"x".repeat(2_000)}\n${"x".repeat(70_000)}word\nword`,
    });
    expect((await search("word")).body).toEqual({
      matches: [match("long", 1, `word ${"x".repeat(995)}…`), match("long", 3, "word")],
    });
  });

  it("is not held up by any pattern, nor by long lines", async () => {
    world.plant({ a: `${"a".repeat(300_000)}!\nb\n` });
    expect((await search("(a+)+c$")).body).toEqual({ matches: [] });
    expect((await search("b")).body).toEqual({ matches: [match("a", 2, "b")] });
    for (const pattern of ["((a{100}){100}){100}", "(", "a{1001}", "a**"]) {
      expect((await search(pattern)).status, pattern).toBe(400);
    }
  });

  it("fails for what is not there", async () => {
    const body = { path: at("none"), pattern: "x" };
    expect((await world.ask(`POST ${route}`, { body })).status).toBe(404);
  });

  const texts = "one two\n\nTwo  three\r\n\tvar_1 = 'é';\n\na.b a+b\nÉ k K\nx\0y\nlast";
  it.each([
    ["^$", [2, 5]],
    ["^one|last$", [1, 9]],
    [String.raw`\s+$`, [3]],
    [String.raw`^\s`, [4]],
    [String.raw`two\s+three`, []],
    [String.raw`two\n`, []],
    [String.raw`\bvar\w+\b`, [4]],
    [String.raw`\bk`, [7]],
    [String.raw`[^\d\W]1`, [4]],
    [String.raw`[^\w\s'=;]`, [4, 6, 7, 8]],
    ["é", [4]],
    ["a.b", [6]],
    [String.raw`a\.b`, [6]],
    ["x.y", [8]],
    ["^.{4}$", [9]],
    [String.raw`\p{Lu}`, [3, 7]],
    ["(?i)TWO", [1, 3]],
    [String.raw`\Qa+b\E`, [6]],
    ["(?:)", [1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ])("understands %s", async (pattern, lines) => {
    // A file with a zero byte at its start would be no text.
    const blank = "#".repeat(9_000);
    world.plant({ a: `${texts}\n${blank}`.replace("\0", "-"), b: `${blank}\n${texts}` });
    const { body } = await search(pattern);
    const found: readonly { readonly path: string; readonly line: number }[] = Reflect.get(
      Object(body),
      "matches",
    );
    const ofText = found.filter(({ path: file, line }) => file === at("b") && line > 1);
    expect(ofText.map(({ line }) => line - 1)).toEqual(lines);
  });
});

describe("a program rg", () => {
  /** Installs a script as the workspace's `rg`. */
  async function install(script: string): Promise<void> {
    world = await openFileWorld();
    world.plant({ "bin/rg": `#!/bin/sh\n${script}\n`, text: "word\n" });
    chmodSync(at("bin/rg"), 0o755);
    const { home, at: place, plant } = world;
    const path = `${at("bin")}:/usr/bin:/bin`;
    const { ask, port } = await openFileWorld({ environment: { PATH: path } });
    world = { home, at: place, plant, ask, port };
  }

  it.each([
    ["fails", "echo no >&2; exit 2"],
    ["is killed", "kill -9 $$"],
    ["prints anything without an end", "yes word"],
    ["prints matches without an end", String.raw`while printf '/x\0001:word\n'; do :; done`],
    ["prints a line without an end", "cat /dev/zero"],
  ])("that %s changes nothing", async (_what, script) => {
    await install(script);
    expect((await search("word", { globs: ["text"] })).body).toEqual({
      matches: [match("text", 1, "word")],
    });
  });

  it("gets no shell, and ends with its caller", async () => {
    await install(
      `cd "$(dirname "$0")/.."; printf '%s\\n' "$@" > args; echo $$ > pid; exec sleep 600`,
    );
    const { port, home } = world;
    const sent = openRequest({ host: "127.0.0.1", port, method: "POST", path: route });
    sent.on("error", () => undefined);
    sent.end(JSON.stringify({ path: home, pattern: "a;b$", globs: ["text"] }));
    await expect
      .poll(() => existsSync(at("pid")) && readFileSync(at("pid"), "utf8"))
      .toMatch(/\n$/);
    const pid = Number(readFileSync(at("pid"), "utf8"));
    expect(readFileSync(at("args"), "utf8")).toContain("--regexp=a;b$\n");
    sent.destroy();
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it("runs for four searches at once", async () => {
    await install(`cd "$(dirname "$0")/.."; : > "running $$"; exec sleep 600`);
    const { port, home } = world;
    const sent = Array.from({ length: 4 }, () => {
      const one = openRequest({ host: "127.0.0.1", port, method: "POST", path: route });
      one.on("error", () => undefined);
      return one.end(JSON.stringify({ path: home, pattern: "word", globs: ["text"] }));
    });
    const running = () => readdirSync(home).filter((name) => name.startsWith("running"));
    await expect.poll(running).toHaveLength(4);
    const { status, body } = await search("word");
    expect(status).toBe(429);
    expect(body).toEqual({ message: "The agent runs at most 4 searches at once." });
    for (const one of sent) one.destroy();
    await expect.poll(async () => (await search("(?i)word")).status).toBe(200);
  });
});
