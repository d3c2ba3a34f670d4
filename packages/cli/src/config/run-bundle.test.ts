import { execFile } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { beforeEach, expect, it, onTestFinished } from "vitest";

let folder: string;
const at = (name: string): string => join(folder, name);
const modulePath = fileURLToPath(new URL("run-bundle.ts", import.meta.url));

const bundle = `#!/usr/bin/env node
const { basename } = require("node:path");
function late(name) { return "ran " + name; }
process.exitCode = Number(process.env.CODE ?? 0);
void Promise.resolve().then(() => console.log(late(basename(__filename)), require("./beside.json").text));
`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-bundle-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(at("program.cjs"), bundle);
  writeFileSync(at("beside.json"), '{"text":"beside"}');
});

/** Runs the bundle in a separate process for a command; returns its output. */
async function run(command: string, code = 0): Promise<string> {
  const options = { cacheDirectory: at("cache"), command };
  const script = `
    const { runBundle } = await import(${JSON.stringify(modulePath)});
    runBundle(${JSON.stringify(at("program.cjs"))}, ${JSON.stringify(options)});`;
  const environment = { env: { ...process.env, CODE: String(code) } };
  const ended = promisify(execFile)(
    process.execPath,
    ["--input-type=module", "-e", script],
    environment,
  );
  const { stdout } = await ended.catch((error: { readonly stdout: string }) => error);
  return stdout.trim();
}

function caches(): readonly string[] {
  if (!readdirSync(at("")).includes("cache")) return [];
  return readdirSync(at("cache")).filter((name) => name !== "pruned");
}

it("runs a bundle as require does, and keeps what each command has compiled", async () => {
  expect(await run("list")).toBe("ran program.cjs beside");
  const [name = ""] = caches();
  expect(name).toMatch(/^list-[\d.]+\.bin$/);
  expect(statSync(at(`cache/${name}`)).mode & 0o777).toBe(0o600);
  const before = statSync(at(`cache/${name}`)).mtimeMs;
  expect(await run("list")).toBe("ran program.cjs beside");
  expect(await run("show")).toBe("ran program.cjs beside");
  // All arguments share one directory.
  for (const odd of ["../../list", "", "x".repeat(1000)]) await run(odd);
  expect(caches().map((cache) => cache.split("-")[0])).toEqual(["list", "other", "show"]);
  // V8 accepted the first cache; otherwise it would have been written again.
  expect(statSync(at(`cache/${name}`)).mtimeMs).toBe(before);
});

it("replaces a cache that is damaged, or of another state of the bundle", async () => {
  await run("list");
  const [first = ""] = caches();
  const size = statSync(at(`cache/${first}`)).size;
  writeFileSync(at(`cache/${first}`), readFileSync(at(`cache/${first}`)).fill(0, 0, 64));
  expect(await run("list")).toBe("ran program.cjs beside");
  expect(caches()).toEqual([first]);
  expect(
    readFileSync(at(`cache/${first}`))
      .subarray(0, 64)
      .every((byte) => byte === 0),
  ).toBe(false);
  expect(statSync(at(`cache/${first}`)).size).toBe(size);

  const later = new Date(Date.now() + 60_000);
  writeFileSync(at("program.cjs"), bundle.replace('"ran "', '"now "'));
  utimesSync(at("program.cjs"), later, later);
  expect(await run("list")).toBe("now program.cjs beside");
  expect(caches()).toHaveLength(1);
  expect(caches()).not.toContain(first);
});

it("keeps nothing of a command that failed, nor where nothing can be kept", async () => {
  expect(await run("list", 1)).toBe("ran program.cjs beside");
  expect(caches()).toEqual([]);
  writeFileSync(at("cache"), "");
  expect(await run("list")).toBe("ran program.cjs beside");
});

it("takes no harm from files that a full disk left empty", async () => {
  const source = at("source.mjs");
  writeFileSync(source, `import { text } from "./part.mjs"; console.log(text());`);
  writeFileSync(at("part.mjs"), `export function text() { return "part"; }`);
  const runSource = async (): Promise<string> => {
    const env = { ...process.env, NODE_COMPILE_CACHE: at("cache") };
    return (await promisify(execFile)(process.execPath, [source], { env })).stdout.trim();
  };
  await run("list");
  expect(await runSource()).toBe("part");
  const files = readdirSync(at("cache"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "pruned")
    .map((entry) => join(entry.parentPath, entry.name));
  expect(files.length).toBeGreaterThan(2);
  for (const file of files) truncateSync(file);
  expect(await run("list")).toBe("ran program.cjs beside");
  expect(await runSource()).toBe("part");
  for (const file of files) expect(statSync(file).size, file).toBeGreaterThan(0);
});

it("returns the exports of a part, which keeps its own code in the cache of the process", async () => {
  writeFileSync(at("part.cjs"), 'exports.late = () => "ran a part";');
  const script = `
    const { enableCompileCache } = await import("node:module");
    enableCompileCache(${JSON.stringify(at("cache"))});
    const { currentCacheDirectory, runBundle } = await import(${JSON.stringify(modulePath)});
    const options = { cacheDirectory: currentCacheDirectory(), command: "ssh-library" };
    console.log(runBundle(${JSON.stringify(at("part.cjs"))}, options).late());`;
  const words = ["--input-type=module", "-e", script];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  expect(stdout).toBe("ran a part\n");
  expect(caches().filter((name) => /^ssh-library-[\d.]+bin$/.test(name))).toHaveLength(1);
});
