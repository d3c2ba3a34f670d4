import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import {
  openReachedWorkspace,
  openTestDatabase,
  type ReachedWorkspace,
  TcpProxy,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

/*
 * `slipway ssh` is connected to one replica, and its agent to another. The command's replica is killed, and a proxy sends
 * the command to the other one, as in a deployment: no byte of its session is lost or repeated.
 */

const program = fileURLToPath(import.meta.resolve("@slipway/cli/program"));
const chunkBytes = 64 * 1024;
const chunks = 256;

const opened = new AsyncDisposableStack();
let world: ReachedWorkspace;

beforeAll(async () => {
  const { url } = opened.use(await openTestDatabase(inject("postgresUrl")));
  world = opened.use(await openReachedWorkspace({ SLIPWAY_POSTGRES_URL: url }));
});

afterAll(() => opened.disposeAsync());

function startSsh(url: string, flags: readonly string[]): ChildProcess {
  const words = ["--conditions=@slipway/source", program, "ssh", ...flags, "dev", "--", "cat"];
  const home = { HOME: world.directory, CODER_CONFIG_DIR: world.directory };
  const access = { CODER_URL: url, CODER_SESSION_TOKEN: world.session };
  const env = { PATH: process.env["PATH"], ...home, ...access };
  const child = spawn(process.execPath, words, { env, stdio: "pipe" });
  opened.defer(() => void child.kill("SIGKILL"));
  return child;
}

it.each([
  { path: "relay", flags: ["--disable-direct-connections"] },
  { path: "direct", flags: [] },
])("a session over a $path path survives its replica", async ({ flags }) => {
  const doomed = await world.startReplica();
  let target = doomed;
  await using proxy = await TcpProxy.open(() => [{ port: Number(new URL(target.url).port) }]);
  const child = startSsh(proxy.url, flags);
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error("wanted pipes");
  const [sent, received] = [createHash("sha256"), createHash("sha256")];
  let [bytes, said] = [0, ""];
  stderr.on("data", (text: Buffer) => (said += text.toString()));
  stdout.on("data", (chunk: Buffer) => {
    received.update(chunk);
    bytes += chunk.length;
  });
  const ended = once(stdout, "end");
  const write = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      const chunk = randomBytes(chunkBytes);
      sent.update(chunk);
      if (!stdin.write(chunk)) await once(stdin, "drain");
    }
  };
  await write(chunks);
  await expect.poll(() => bytes, { timeout: 30_000 }).toBeGreaterThan((chunks * chunkBytes) / 2);
  await doomed.end("SIGKILL");
  target = world.server;
  await write(chunks);
  stdin.end();
  await ended;
  expect(received.digest("hex")).toBe(sent.digest("hex"));
  expect(said).toBe("");
  if (child.exitCode === null) await once(child, "exit");
  expect(child.exitCode).toBe(0);
});
