import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { beforeAll, expect, it, onTestFinished } from "vitest";

/* The bundle of the command does what its sources do, from wherever it is called. */

const root = fileURLToPath(new URL("..", import.meta.url));
const bundle = join(root, "packages/cli/dist/bundle/slipway.js");
const sources = join(root, "packages/cli/src/main.ts");

async function output(program: string, ...words: string[]): Promise<string> {
  const flags = ["--conditions=@slipway/source", program, ...words];
  return (await promisify(execFile)(process.execPath, flags, { cwd: tmpdir() })).stdout;
}

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ["tools/build-agent.ts"], { cwd: root });
});

it.each(["--help", "version", "server --help", "templates push --help"])(
  "prints what the sources print for %j",
  async (line) => {
    const words = line.split(" ");
    expect(await output(bundle, ...words)).toBe(await output(sources, ...words));
  },
);

it("finds the files of the repository", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-bundle-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  await output(bundle, "templates", "init", directory);
  expect(await readFile(join(directory, "slipway.yaml"), "utf8")).toBe(
    await readFile(join(root, "examples/demo.slipway.yaml"), "utf8"),
  );
});

it("holds no package that looks for files beside its own", async () => {
  // An ES module has no such name: the package would fail when it is loaded.
  expect(await readFile(bundle, "utf8")).not.toMatch(/\b__(dirname|filename)\b/);
});
