import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { beforeAll, expect, it, onTestFinished } from "vitest";

/* The command's bundle behaves like its sources, wherever it is called. */

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = join(root, "packages/cli/src/main.ts");

/** The program that runs the bundle. */
let program: string;

async function output(path: string, ...words: string[]): Promise<string> {
  const flags = ["--conditions=@slipway/source", path, ...words];
  return (await promisify(execFile)(process.execPath, flags, { cwd: tmpdir() })).stdout;
}

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ["tools/build-agent.ts"], { cwd: root });
  const directory = await mkdtemp(join(tmpdir(), "slipway-bundle-"));
  program = join(directory, "program.cjs");
  const start = join(root, "packages/cli/dist/bundle/start.cjs");
  const options = "{ cacheDirectory: undefined, command: undefined }";
  await writeFile(
    program,
    `if (!require(${JSON.stringify(start)}).runFreshBundle(${options})) throw new Error("stale");`,
  );
  return () => rm(directory, { recursive: true });
});

it.each(["--help", "version", "server --help", "templates push --help"])(
  "prints what the sources print for %j",
  async (line) => {
    const words = line.split(" ");
    expect(await output(program, ...words)).toBe(await output(sources, ...words));
  },
);

it("finds the files of the repository", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-bundle-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  await output(program, "templates", "init", directory, "--id", "external");
  expect(await readFile(join(directory, "slipway.yaml"), "utf8")).toBe(
    await readFile(join(root, "examples/external.slipway.yaml"), "utf8"),
  );
});

it("loads only the modules of Node.js that a command uses", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-bundle-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const report = join(directory, "report.cjs");
  const modules = `process.moduleLoadList.filter((name) => name.startsWith("NativeModule "))`;
  await writeFile(report, `process.on("exit", () => console.log(${modules}.join("\\n")));`);
  const { stdout } = await promisify(execFile)(process.execPath, [
    "-r",
    report,
    program,
    "version",
  ]);
  const loaded = stdout.split("\n").map((line) => line.replace("NativeModule ", ""));
  expect(loaded).toContain("path");
  const unused = ["child_process", "crypto", "dgram", "dns", "http", "https", "tls", "zlib"];
  expect(unused.filter((name) => loaded.includes(name))).toEqual([]);
});

it.each(["cli/dist/bundle/slipway.chunks.js", "server/dist/bundle/server.js"])(
  "holds no package that looks for files beside its own in %s",
  async (path) => {
    // An ES module has no such name, and the files do not exist: the package would fail to load.
    const code = await readFile(join(root, "packages", path), "utf8");
    expect(code).not.toMatch(/\b__(dirname|filename)\b/);
  },
);

it("lets the server look for files of the clone in one place, as deep as its bundle", async () => {
  const list = await readFile(join(root, "packages/server/dist/bundle/server.js.inputs.json"));
  const inputs: readonly string[] = JSON.parse(list.toString());
  const ours = inputs.filter((path) => path.startsWith("packages/"));
  const texts = await Promise.all(ours.map((path) => readFile(join(root, path), "utf8")));
  const places = ours.filter((_, index) => /import\.meta\.(url|dir)/.test(texts[index] ?? ""));
  expect(places).toEqual([
    "packages/postgres/src/binaries.ts", // Looks for a package.
    "packages/server/src/platform/clone-directory.ts",
    "packages/runtime/src/sodium.ts", // Looks for a package.
  ]);
});
