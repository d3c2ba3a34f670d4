import { once } from "node:events";

import ssh2 from "ssh2";
import { expect, it, onTestFinished } from "vitest";

import { openSshWorkspace } from "../../../tests/support/ssh-workspace.ts";
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

it("sends a signal that comes after the end of the command's input", async () => {
  const { port, reports } = await openSshWorkspace();
  const client = new ssh2.Client();
  onTestFinished(() => void client.destroy());
  client.on("ready", () => {
    client.exec("cat; echo ready; exec sleep 1000", (_error, channel) => {
      channel.end();
      channel.once("data", () => {
        // The ssh2 client does not send a signal by itself then.
        const protocol: unknown = Reflect.get(client, "_protocol");
        const outgoing: unknown = Reflect.get(channel, "outgoing");
        if (!isObject(protocol) || !isObject(outgoing)) throw new Error("ssh2 has changed");
        const send: unknown = Reflect.get(protocol, "signal");
        if (typeof send !== "function") throw new Error("ssh2 has changed");
        Reflect.apply(send, protocol, [Reflect.get(outgoing, "id"), "USR1"]);
      });
    });
  });
  client.connect({ host: "127.0.0.1", port, username: "anybody" });
  await once(client, "ready");
  await expect
    .poll(() => reports.at(-1), { timeout: 10_000 })
    .toMatchObject({ statusCode: 255, reason: "killed by SIGUSR1" });
});

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
