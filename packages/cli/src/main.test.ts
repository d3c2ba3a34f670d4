import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, open, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { expect, it, onTestFinished } from "vitest";

const program = fileURLToPath(import.meta.resolve("../bin/slipway.js"));
const node = [process.execPath, "--conditions=@slipway/source", program] as const;

it("reports in one line that its output cannot be written", async () => {
  // A file that is open only for reading refuses writes, like a full disk.
  await using file = await open(program, "r");
  const [command, ...words] = node;
  const child = spawn(command, [...words, "version"], { stdio: ["ignore", file.fd, "pipe"] });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [code] = await once(child, "close");
  expect(said).toMatch(/^error: cannot write the output: EBADF.*\n$/);
  expect(code).toBe(1);
});

it("exits quietly once its output is no longer read", async () => {
  const [command, ...words] = node;
  const child = spawn(command, [...words, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  expect(said).toBe("");
  expect(code).toBe(141);
});

it.each(["", "home"])("writes nothing into the current directory with HOME=%j", async (home) => {
  const cwd = await mkdtemp(join(tmpdir(), "slipway-cwd-"));
  onTestFinished(() => rm(cwd, { recursive: true }));
  const [command, ...words] = node;
  const child = spawn(command, [...words, "version"], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: home },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(out).toContain("slipway v");
  expect(said).toBe("");
  expect(await readdir(cwd)).toEqual([]);
});

it("runs the bundle, or the sources once one of them is newer", async () => {
  const root = await mkdtemp(join(tmpdir(), "slipway-bin-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const at = (path: string): string => join(root, "packages/cli", path);
  const files = {
    "package.json": '{"type":"module"}',
    "src/main.ts": 'console.log("sources");',
    "dist/bundle/slipway.cjs": 'console.log("bundle");',
    "dist/bundle/slipway.cjs.inputs.json": '["packages/cli/src/main.ts"]',
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), content);
  }
  await mkdir(at("bin"));
  for (const file of ["slipway.js", "cache-directory.js"]) {
    await copyFile(join(dirname(program), file), at(`bin/${file}`));
  }
  await mkdir(at("src/config"));
  for (const file of [
    "config/fresh-bundle.ts",
    "config/prune-compiled.ts",
    "config/run-bundle.ts",
  ]) {
    await copyFile(fileURLToPath(new URL(file, import.meta.url)), at(`src/${file}`));
  }
  const output = async (): Promise<string> => {
    const child = spawn(process.execPath, [at("bin/slipway.js")], {
      env: { ...process.env, HOME: root },
      stdio: ["ignore", "pipe", "inherit"],
    });
    return text(child.stdout);
  };
  expect(await output()).toBe("bundle\n");
  const later = new Date(Date.now() + 60_000);
  await utimes(at("src/main.ts"), later, later);
  expect(await output()).toBe("sources\n");
  // A release has neither sources nor a list of them.
  await rm(at("dist/bundle/slipway.cjs.inputs.json"));
  expect(await output()).toBe("bundle\n");
  await rm(at("dist"), { recursive: true });
  expect(await output()).toBe("sources\n");
});
