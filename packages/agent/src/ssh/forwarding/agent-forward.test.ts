import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import ssh2 from "ssh2";
import { expect, it, onTestFinished, vi } from "vitest";

import { listenOnLoopback } from "../../../tests/support/loopback-service.ts";
import { openSshWorkspace } from "../../../tests/support/ssh-workspace.ts";

it("listens for nobody who goes while the socket of their agent is made", async () => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-agent-forward-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  vi.stubEnv("TMPDIR", folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  const listeners = (): number =>
    process.getActiveResourcesInfo().filter((one) => one === "PipeWrap").length;
  const { accept } = await openSshWorkspace();
  const port = await listenOnLoopback({
    accept: (connection) => {
      accept(connection);
      // ssh2 sends the request in two parts. After them, the file system has not answered yet.
      connection.on("data", () => {
        if (isAsked) pieces += 1;
        if (pieces === 2) setImmediate(() => connection.destroy());
      });
    },
  });
  const before = listeners();
  let isAsked = false;
  let pieces = 0;
  const client = new ssh2.Client();
  onTestFinished(() => void client.destroy());
  client.on("error", () => undefined);
  const debug = (message: string): void => {
    isAsked ||= message.includes("auth-agent-req");
  };
  client.connect({
    host: "127.0.0.1",
    port,
    username: "anybody",
    agent: "/nowhere",
    agentForward: true,
    debug,
  });
  await once(client, "ready");
  const left = new Promise<void>((resolve) => {
    client.once("close", () => resolve());
  });
  client.exec("true", () => undefined);
  await left;
  // One more directory is created after the agent's. The command may have run, with pipes.
  await mkdtemp(join(folder, "later"));
  const others = () => readdirSync(folder).filter((name) => !name.startsWith("slipway-pipes-"));
  await expect.poll(others).toEqual([expect.stringMatching(/^later/)]);
  expect(listeners()).toBe(before);
});
