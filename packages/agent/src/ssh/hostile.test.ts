import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

import ssh2, { type Client, type ClientChannel } from "ssh2";
import { describe, expect, it, onTestFinished } from "vitest";

import { openSshWorkspace, type SshWorkspace } from "../../tests/support/ssh-workspace.ts";

async function openClient({ port }: SshWorkspace): Promise<Client> {
  const client = new ssh2.Client();
  onTestFinished(() => void client.destroy());
  client.on("error", () => undefined);
  client.connect({ host: "127.0.0.1", port, username: "anybody" });
  await once(client, "ready");
  return client;
}

function exec(
  client: Client,
  command: string,
  env: NodeJS.ProcessEnv = {},
): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, { env }, (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(error);
    });
  });
}

/** Starts a session that serves files, in the agent itself. */
function openFiles(client: Client): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.subsys("sftp", (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(error);
    });
  });
}

/** The first packet of an SFTP client, which the server answers with its extensions. */
const sftpInit = Buffer.from("000000050100000003", "hex");

async function outputOf(client: Client, command: string, env?: NodeJS.ProcessEnv): Promise<string> {
  return text(await exec(client, command, env));
}

describe("a hostile SSH client", () => {
  it("opens a thousand sessions, of which 256 run, and no more until some have ended", async () => {
    const workspace = await openSshWorkspace();
    const client = await openClient(workspace);
    // Few of them need a process: processes take most of the time, and the limit is the same for all.
    const channels = await Promise.allSettled(
      Array.from({ length: 1000 }, (_, index) =>
        index % 16 === 0 ? exec(client, "read line; echo $line") : openFiles(client),
      ),
    );
    const open = channels.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(open.length).toBe(256);
    expect(workspace.sessions.counts.ssh).toBe(256);
    const outputs = open.map((channel) => text(channel));
    for (const [index, channel] of open.entries()) channel.end(index % 16 === 0 ? "x\n" : sftpInit);
    const isAnswered = (await Promise.all(outputs)).map((output, index) =>
      index % 16 === 0 ? output === "x\n" : output.includes("@openssh.com"),
    );
    expect(isAnswered).not.toContain(false);
    expect(await outputOf(client, "echo again")).toBe("again\n");
  }, 60_000);

  it("sends more variables than fit, of which the first count", async () => {
    const client = await openClient(await openSshWorkspace());
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`V${index}`, "x"]));
    expect(await outputOf(client, "env | grep -c ^V", many)).toBe("256\n");
    const large = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`V${index}`, "x".repeat(30_000)]),
    );
    const count = "env | grep -c ^V; env | grep -c ^A=B";
    expect(await outputOf(client, count, { ...large, "A=B": "z" })).toBe("4\n0\n");
  });

  it("sends input to commands that do not read, and is held up", async () => {
    const client = await openClient(await openSshWorkspace());
    const channel = await exec(client, "exec sleep 1000");
    channel.write(Buffer.alloc(64_000_000));
    expect(await outputOf(client, "echo meanwhile")).toBe("meanwhile\n");
    expect(channel.writableLength).toBe(64_000_000);
  });

  it("ignores the window that it was given, and is cut off", async () => {
    const client = await openClient(await openSshWorkspace());
    const channel = await exec(client, "exec sleep 1000");
    const closed = new Promise<void>((resolve) => {
      client.on("close", () => resolve());
    });
    // The window of ssh2's own end of the channel: it sends as long as the window is open.
    Reflect.set(Object(Reflect.get(channel, "outgoing")), "window", 2 ** 30);
    for (let round = 0; round < 400; round += 1) channel.write(Buffer.alloc(32_765));
    await closed;
  });

  it.each(["GET / HTTP/1.1\r\n\r\n", "SSH-2.0-x\r\n\0\0\0\0garbage", "SSH-1.0-old\r\n"])(
    "begins with %j, and is cut off",
    async (greeting) => {
      const workspace = await openSshWorkspace();
      const socket = connect({ host: "127.0.0.1", port: workspace.port });
      socket.on("error", () => undefined);
      socket.end(greeting);
      socket.resume();
      await once(socket, "close");
      const client = await openClient(workspace);
      expect(await outputOf(client, "echo fine")).toBe("fine\n");
    },
  );
});
