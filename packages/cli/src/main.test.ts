import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, it, onTestFinished } from "vitest";

const program = fileURLToPath(import.meta.resolve("../bin/slipway.js"));
const clone = fileURLToPath(new URL("../../../", import.meta.url));
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
    "dist/bundle/slipway.chunks.js": '({"./main.js":()=>console.log("bundle")})',
    "dist/bundle/slipway.chunks.js.inputs.json": '["packages/cli/src/main.ts"]',
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), content);
  }
  // Before what is made of it.
  await writeFile(at("src/start.ts"), "");
  await promisify(execFile)(process.execPath, ["tools/build-agent.ts"], { cwd: clone });
  await mkdir(at("bin"));
  const starters = ["bin/slipway.js", "bin/cache-directory.js", "dist/bundle/start.cjs"];
  for (const file of starters) await copyFile(join(dirname(program), "..", file), at(file));
  const startSource = "packages/cli/src/start.ts";
  await writeFile(at("dist/bundle/start.cjs.inputs.json"), JSON.stringify([startSource]));
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
  await utimes(at("src/main.ts"), 0, 0);
  expect(await output()).toBe("bundle\n");
  await utimes(at("src/start.ts"), later, later);
  expect(await output()).toBe("sources\n");
  await utimes(at("src/start.ts"), 0, 0);
  // A release has neither sources nor a list of them.
  await rm(at("dist/bundle/slipway.chunks.js.inputs.json"));
  expect(await output()).toBe("bundle\n");
  await rm(at("dist"), { recursive: true });
  expect(await output()).toBe("sources\n");
});

it.each(["the clone's Node.js", "the machine's Node.js"])(
  "starts with %s from any link to it",
  async (whose) => {
    const root = await mkdtemp(join(tmpdir(), "slipway launcher-"));
    onTestFinished(() => rm(root, { recursive: true }));
    const launcher = join(root, "packages/cli/bin/slipway");
    await mkdir(dirname(launcher), { recursive: true });
    await copyFile(join(dirname(program), "slipway"), launcher);
    const ownNode = join(root, "node_modules/node/bin/node");
    const machineNode = join(root, "machine/node");
    for (const [path, name] of [
      [ownNode, "clone"],
      [machineNode, "machine"],
    ] as const) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, `#!/bin/sh\necho "the ${name}'s Node.js"\nprintf '%s\\n' "$@"\n`);
      await chmod(path, 0o755);
    }
    if (whose !== "the clone's Node.js") await rm(ownNode);
    await symlink(launcher, join(root, "link"));
    const output = async (...words: readonly string[]): Promise<readonly string[]> => {
      const env = { PATH: `${dirname(machineNode)}:${process.env["PATH"]}` };
      const { stdout } = await promisify(execFile)(join(root, "link"), words, { env, cwd: "/" });
      return stdout.trimEnd().split("\n");
    };
    const script = `${dirname(launcher)}/slipway.js`;
    const condition = "--conditions=@slipway/source";
    expect(await output("ssh", "a b", "", "*")).toEqual([
      whose,
      condition,
      "--min-semi-space-size=16",
      script,
      "ssh",
      "a b",
      "",
      "*",
    ]);
    expect(await output("server")).toEqual([whose, condition, script, "server"]);
    expect(await output()).toContain(script);
  },
);
