import { once } from "node:events";

import { endOf } from "@slipway/testkit/compliance";
import ssh2 from "ssh2";
import { describe, expect, it, onTestFinished } from "vitest";

import { isAlive } from "../../tests/support/command-host.ts";
import { openSshWorkspace } from "../../tests/support/ssh-workspace.ts";

describe("a command over OpenSSH's client", () => {
  it("exits with 255 where a signal killed it", async () => {
    const { ssh, reports } = await openSshWorkspace();
    expect((await ssh(["kill -9 $$"])).exitCode).toBe(255);
    expect(reports.at(-1)).toMatchObject({ statusCode: 255, reason: "killed by SIGKILL" });
  });

  it("runs in the workspace's directory and environment, with what the client adds", async () => {
    const { start } = await openSshWorkspace({ directory: "/usr" });
    const text = "pwd; echo $CODER_WORKSPACE_NAME,$LC_TEST,$CODER_SSH_SESSION_TYPE,$SSH_CONNECTION";
    const options = [
      "-o",
      "SetEnv=LC_TEST=1 CODER_WORKSPACE_NAME=no CODER_SSH_SESSION_TYPE=vscode",
    ];
    const { stdout } = await endOf(start([text], options));
    expect(stdout).toBe("/usr\ndev,1,,0.0.0.0 0 0.0.0.0 0\n");
  });

  it("serves fifty at once, each with its own output", { timeout: 60_000 }, async () => {
    const { ssh, sessions } = await openSshWorkspace();
    const numbers = Array.from({ length: 50 }, (_, index) => index);
    const ends = await Promise.all(
      numbers.map((number) => ssh([`echo ${number}; echo e${number} >&2; exit ${number}`])),
    );
    expect(ends).toEqual(
      numbers.map((number) => ({
        stdout: `${number}\n`,
        stderr: `e${number}\n`,
        exitCode: number,
      })),
    );
    expect(sessions.counts.ssh).toBe(0);
  });

  it("ends when its client is killed", async () => {
    const { start, reports } = await openSshWorkspace();
    const child = start(["echo $$; sleep 1000"]);
    const [line] = await new Promise<Buffer[]>((resolve) => {
      child.stdout?.once("data", (chunk: Buffer) => resolve([chunk]));
    });
    const pid = Number(String(line));
    expect(isAlive(pid)).toBe(true);
    child.kill("SIGKILL");
    await expect.poll(() => isAlive(pid)).toBe(false);
    await expect.poll(() => reports.map(({ action }) => action)).toEqual(["connect", "disconnect"]);
  });

  it("waits for a client that does not read, and keeps nothing of its output", async () => {
    const { start } = await openSshWorkspace();
    const child = start(["echo $$; exec yes"]);
    child.stdout?.pause();
    const { promise, resolve } = Promise.withResolvers<string>();
    child.stdout?.once("readable", () => resolve(String(child.stdout?.read() ?? "")));
    const pid = Number.parseInt(await promise, 10);
    const { readFileSync } = await import("node:fs");
    const state = (): string => readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[2] ?? "";
    const before = process.memoryUsage().arrayBuffers;
    await expect.poll(state).toBe("S");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16_000_000);
    child.kill("SIGKILL");
    await expect.poll(() => isAlive(pid)).toBe(false);
  });
});

describe("a terminal over OpenSSH's client", () => {
  it("greets a shell, but not a command", async () => {
    const { start } = await openSshWorkspace({ greeting: "welcome\r\n" });
    const shell = start([], ["-tt"]);
    shell.stdin?.write("exit 3\n");
    const end = await endOf(shell);
    expect(end.stdout.startsWith("welcome\r\n")).toBe(true);
    expect(end.exitCode).toBe(3);
    expect((await endOf(start(["echo"], ["-tt"]))).stdout).toBe("\r\n");
  });
});

it("closes channels without a status when the agent shuts down", async () => {
  const { start, stop } = await openSshWorkspace();
  const child = start(["echo ready; sleep 1000"]);
  const ended = endOf(child);
  await new Promise((resolve) => {
    child.stdout?.once("data", resolve);
  });
  stop();
  expect((await ended).exitCode).toBe(255);
});

it("closes the channels of clients before their connections when the agent shuts down", async () => {
  const { port, stop } = await openSshWorkspace();
  const client = new ssh2.Client();
  onTestFinished(() => void client.destroy());
  const received: string[] = [];
  client.connect({
    host: "127.0.0.1",
    port,
    username: "anybody",
    debug: (line) => void (/^Inbound: CHANNEL_|^Socket ended/.test(line) && received.push(line)),
  });
  await once(client, "ready");
  client.exec("echo ready; sleep 1000", (_, channel) => channel.once("data", stop));
  await once(client, "close");
  expect(received.slice(-2)).toEqual(["Inbound: CHANNEL_CLOSE (r:0)", "Socket ended"]);
});
