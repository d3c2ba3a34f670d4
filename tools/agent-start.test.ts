import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { agentEnvironment } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";

import { buildAgent } from "./agent-bundle.ts";

/** Node.js modules that an agent of a server without TLS does not need; each takes milliseconds and megabytes. */
const spared = [
  "NativeModule https",
  "NativeModule tls",
  "NativeModule zlib",
  "NativeModule perf_hooks",
  "NativeModule worker_threads",
  "NativeModule internal/deps/undici/undici",
];

/** Prints the loaded modules on request. */
const reporter = `process.on("SIGUSR2", () => console.log(JSON.stringify(process.moduleLoadList)));`;

it("loads only what it needs to connect, and to call the server", { timeout: 30_000 }, async () => {
  const home = await mkdtemp(join(tmpdir(), "slipway-start-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const output = join(home, "agent.cjs");
  const entry = "packages/agent/src/main/main.ts";
  await buildAgent({ entry, output, format: "cjs", force: true });
  await writeFile(join(home, "reporter.cjs"), reporter);
  // Schemas are the server's: their library would be a tenth of the bundle.
  expect(await readFile(`${output}.inputs.json`, "utf8")).not.toContain("node_modules/typebox");

  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => server.close());
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const called = new Promise((resolve) => {
    server.on("connection", (socket) => {
      // The agent is killed with unread bytes.
      socket.on("error", () => undefined);
      socket.once("message", resolve);
    });
  });
  const agent = spawn(process.execPath, ["--require", join(home, "reporter.cjs"), output], {
    env: agentEnvironment({ serverUrl: `http://127.0.0.1:${port}`, token: "secret", home }),
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void agent.kill("SIGKILL"));

  await called;
  agent.kill("SIGUSR2");
  const [line] = await once(agent.stdout.setEncoding("utf8"), "data");
  const loaded: unknown = JSON.parse(String(line));
  expect(loaded).toEqual(expect.arrayContaining(["NativeModule http", "NativeModule crypto"]));
  expect(spared.filter((name) => String(loaded).split(",").includes(name))).toEqual([]);
});
