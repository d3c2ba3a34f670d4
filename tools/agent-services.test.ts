import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, it, onTestFinished } from "vitest";

import { buildAgent } from "./agent-bundle.ts";

/** Prints the files loaded by `require` on request. */
const reporter = `process.on("SIGUSR2", () => console.log(JSON.stringify(Object.keys(require.cache))));`;

const sshOptions = [
  ["-F", "none"],
  ["-o", "StrictHostKeyChecking=no"],
  ["-o", "UserKnownHostsFile=/dev/null"],
  ["-o", "LogLevel=ERROR"],
].flat();

it("serves SSH and terminals from one bundle, without packages, and loads them when needed", async () => {
  const home = await mkdtemp(join(tmpdir(), "slipway-services-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const program = join(home, "agent.cjs");
  await buildAgent({
    entry: "packages/agent/tests/support/services-program.ts",
    output: program,
    format: "cjs",
    force: true,
  });
  await buildAgent({
    entry: "node_modules/ssh2/lib/server.js",
    output: join(home, "ssh2.cjs"),
    format: "module",
    force: true,
  });
  const native = `@lydell/node-pty-${process.platform}-${process.arch}/pty.node`;
  await copyFile(createRequire(import.meta.url).resolve(native), join(home, "pty.node"));
  await writeFile(join(home, "reporter.cjs"), reporter);

  const agent = spawn(process.execPath, ["--require", join(home, "reporter.cjs"), program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void agent.kill("SIGKILL"));
  const lines = agent.stdout.setEncoding("utf8");
  const ports: Record<string, number> = JSON.parse(String((await once(lines, "data"))[0]));
  const ssh = async (...args: readonly string[]): Promise<string> => {
    const all = [...sshOptions, "-p", String(ports["1"]), ...args];
    return (await promisify(execFile)("ssh", all)).stdout;
  };
  const loaded = async (): Promise<readonly boolean[]> => {
    agent.kill("SIGUSR2");
    const files = String((await once(lines, "data"))[0]);
    return ["ssh2.cjs", "pty.node"].map((name) => files.includes(name));
  };

  expect(await loaded()).toEqual([false, false]);
  expect(await ssh("127.0.0.1", "echo hello")).toBe("hello\n");
  expect(await loaded()).toEqual([true, false]);
  expect(await ssh("-tt", "127.0.0.1", "test -t 1 && echo terminal")).toBe("terminal\r\n");
  expect(await loaded()).toEqual([true, true]);
  expect((await fetch(`http://127.0.0.1:${ports["4"]}/api/v0/runs`)).status).toBe(200);
});
