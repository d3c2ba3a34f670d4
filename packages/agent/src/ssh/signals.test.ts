import { once } from "node:events";

import ssh2 from "ssh2";
import { expect, it, onTestFinished } from "vitest";

import { openSshWorkspace } from "../../tests/support/ssh-workspace.ts";
import { signalNamed } from "./signals.ts";

it.each([
  ["TERM", "SIGTERM"],
  ["SIGUSR1", "SIGUSR1"],
  ["NOSUCH", "SIGKILL"],
  ["STOP", "SIGKILL"],
  ["constructor", "SIGKILL"],
  ["", "SIGKILL"],
])("takes the name %j for %s", (name, signal) => {
  expect(signalNamed(name)).toBe(signal);
});

it("sends a signal of the client to its command", async () => {
  const { port, reports } = await openSshWorkspace();
  const client = new ssh2.Client();
  onTestFinished(() => void client.destroy());
  client.on("ready", () => {
    client.exec("echo ready; exec sleep 1000", (_error, channel) => {
      channel.once("data", () => channel.signal("USR1"));
    });
  });
  client.connect({ host: "127.0.0.1", port, username: "anybody" });
  await once(client, "ready");
  await expect
    .poll(() => reports.at(-1))
    .toMatchObject({ statusCode: 255, reason: "killed by SIGUSR1" });
});
