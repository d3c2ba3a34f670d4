import { execFile } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
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
const modulePath = fileURLToPath(new URL("run-chunks.ts", import.meta.url));

/** A bundle as `tools/agent-bundle.ts` writes it; `WORDS` names the chunks that the program loads. */
const bundle = `({
"./main.js":(require,module,url,resolve)=>{
  const { basename } = require("node:path");
  const words = process.env.WORDS.split(",").map((name) => require("./" + name + ".js").text);
  process.exitCode = Number(process.env.CODE);
  console.log(basename(url), basename(resolve("./beside.json")), ...words);
},
"./a.js":(require,module)=>{module.exports={text:"a"+require("./shared.js").count()};},
"./b.js":(require,module)=>{module.exports={text:"b"+require("./shared.js").count()};},
"./shared.js":(require,module)=>{let count=0;module.exports={count:()=>++count};}
})
`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-chunks-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeBundle(bundle, 1);
  writeFileSync(at("beside.json"), "{}");
});

/** Runs the program with these chunks in a separate process; returns its output. */
async function run(words: string, { command = "list", code = 0 } = {}): Promise<string> {
  const options = { cacheDirectory: at("cache"), command };
  const script = `
    const { runChunks } = await import(${JSON.stringify(modulePath)});
    runChunks(${JSON.stringify(at("program.js"))}, ${JSON.stringify(options)});`;
  const ended = promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, WORDS: words, CODE: String(code) },
  });
  const { stdout } = await ended.catch((error: { readonly stdout: string }) => error);
  return stdout.trim();
}

function caches(): readonly string[] {
  if (!readdirSync(at("")).includes("cache")) return [];
  return readdirSync(at("cache")).filter((name) => name !== "pruned");
}

function cacheBytes(): number {
  return statSync(at(`cache/${caches()[0]}`)).size;
}

function writeBundle(text: string, seconds: number): void {
  writeFileSync(at("program.js"), text);
  utimesSync(at("program.js"), seconds, seconds);
}

/** Makes the bundle unusable as a program, with the size and time by which caches know it. */
function spoilBundle(): void {
  writeBundle("(".repeat(bundle.length), 1);
}

it("runs a program whose chunks load each other once", async () => {
  expect(await run("a,b,a")).toBe("program.js beside.json a1 b2 a1");
});

it("needs the bundle no more for chunks that the command has used before", async () => {
  await run("a");
  const [name = ""] = caches();
  expect(name).toMatch(/^list-[\d.]+\.bin$/);
  expect(statSync(at(`cache/${name}`)).mode & 0o777).toBe(0o600);
  const textBytes = cacheBytes();
  spoilBundle();
  expect(await run("a")).toBe("program.js beside.json a1");
  // Now with the code that V8 has compiled, which it accepts: otherwise the file would be written again.
  expect(cacheBytes()).toBeGreaterThan(textBytes);
  const { mtimeMs } = statSync(at(`cache/${name}`));
  expect(await run("a")).toBe("program.js beside.json a1");
  expect(statSync(at(`cache/${name}`)).mtimeMs).toBe(mtimeMs);
  // Another command has none of it.
  expect(await run("a", { command: "show" })).toBe("");
});

it("loads chunks that a command had not used before from the bundle, and keeps them too", async () => {
  for (let call = 0; call < 2; call += 1) await run("a");
  expect(await run("b")).toBe("program.js beside.json b1");
  spoilBundle();
  expect(await run("b")).toBe("program.js beside.json b1");
  expect(await run("a")).toBe("program.js beside.json a1");
});

it("runs the bundle if the cache is damaged, and replaces it", async () => {
  for (let call = 0; call < 2; call += 1) await run("a");
  const [name = ""] = caches();
  const whole = readFileSync(at(`cache/${name}`));
  const damaged = [
    Buffer.alloc(0),
    whole.subarray(0, 7),
    whole.subarray(0, -3),
    Buffer.from(whole).fill(0, 0, 64),
    Buffer.from(whole).fill(0xff, 0, 8),
    Buffer.from(whole).fill(0, 8, 64),
  ];
  for (const bytes of damaged) {
    writeFileSync(at(`cache/${name}`), bytes);
    expect(await run("a")).toBe("program.js beside.json a1");
    expect(readFileSync(at(`cache/${name}`)).equals(bytes)).toBe(false);
  }
});

it("uses no chunks of another state of the bundle", async () => {
  for (let call = 0; call < 2; call += 1) await run("a");
  writeBundle(bundle.replace('"a"+', '"A"+'), 2);
  expect(await run("a")).toBe("program.js beside.json A1");
  expect(caches()).toHaveLength(1);
});

it("keeps nothing of a command that failed, nor where nothing can be kept", async () => {
  expect(await run("a", { code: 1 })).toBe("program.js beside.json a1");
  expect(caches()).toEqual([]);
  writeFileSync(at("cache"), "");
  expect(await run("a")).toBe("program.js beside.json a1");
});
