import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { get } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import type { Client, SFTPWrapper } from "ssh2";
import { describe, expect, it, onTestFinished } from "vitest";

import { findFreePort } from "./local-peers.ts";
import { endOf, execute, type CurrentSubject } from "./subject.ts";

/** An editor's server: answers each request with its path, on a port of its choice and on a Unix socket. */
const editorServer = `
const { createServer } = require("node:http");
const answer = (request, response) => response.end("editor " + request.url);
createServer(answer).listen(process.argv[2]);
const server = createServer(answer).listen(0, "127.0.0.1", () =>
  console.log("listening on " + server.address().port));`;

/**
 * The bootstraps of editors: VS Code's over OpenSSH's client, and JetBrains Gateway's over its own client, which
 * opens a channel for each step on one connection.
 */
export function describeEditors(subject: CurrentSubject): void {
  describe("an editor", () => {
    it("starts its server by a script on the input of a shell, and reaches it through a proxy", async () => {
      writeFileSync(join(subject().home, "server.js"), editorServer);
      const proxyPort = await findFreePort();
      const here = join(subject().home, "here.sock");
      const there = join(subject().home, "there.sock");
      const forwards = ["-D", `127.0.0.1:${proxyPort}`, "-L", `${here}:${there}`];
      const child = subject().start(["sh"], ["-T", ...forwards]);
      child.stdin?.end(bootstrapScript(there));
      const { stdout, exitCode } = await endOf(child);
      expect(exitCode).toBe(0);
      const port = Number(/^listeningOn=(\d+)$/m.exec(stdout)?.[1]);
      const pid = Number(/^pid=(\d+)$/m.exec(stdout)?.[1]);
      onTestFinished(() => void process.kill(pid));
      subject().start([], ["-N", ...forwards, "-o", "StreamLocalBindUnlink=yes"]);
      await expect
        .poll(() => askThroughProxy(proxyPort, port).catch(String))
        .toMatch(/editor \/version$/);
      expect(await askSocket(here)).toBe("editor /version");
    });

    it("looks around, copies its server, starts it and connects to it, all over one connection", async () => {
      const client = await subject().connect({ keepaliveInterval: 1000 });
      const system = await text(await execute(client, "uname -s; echo $HOME"));
      expect(system).toBe(
        `${process.platform === "darwin" ? "Darwin" : "Linux"}\n${subject().home}\n`,
      );
      const directory = `${subject().home}/.cache/editor`;
      await copyFile(client, directory, "server.js", editorServer);
      const command = `${process.execPath} server.js ./editor.sock`;
      const start = `cd '${directory}' && exec ${command}`;
      const pty = { rows: 24, cols: 80, term: "dumb" };
      // The channel stays open as long as its server runs.
      const server = await execute(client, start);
      const [line] = await once(server, "data");
      const port = Number(/\d+/.exec(String(line))?.[0]);
      expect(await askChannel(client, port)).toMatch(/editor \/version$/);
      expect(await text(await execute(client, "test -t 1 && echo terminal", { pty }))).toBe(
        "terminal\r\n",
      );
      const ended = once(server, "close");
      server.signal("TERM");
      await ended;
      await expect(askChannel(client, port)).rejects.toThrow();
    });
  });
}

/** The steps of VS Code's script, without its download. */
function bootstrapScript(socket: string): string {
  return `
set -eu
cd "$HOME"
nohup '${process.execPath}' server.js '${socket}' > editor.log 2>&1 < /dev/null &
echo "pid=$!"
tries=0
until port=$(sed -n 's/^listening on \\([0-9]*\\)$/\\1/p' editor.log) && [ -n "$port" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 200 ] || { cat editor.log; exit 1; }
  sleep 0.05
done
echo "listeningOn=$port"
echo "arch=$(uname -m)"
`;
}

/** Requests a page through a SOCKS proxy (RFC 1928). */
export async function askThroughProxy(proxyPort: number, port: number): Promise<string> {
  const socket = connect(proxyPort, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  const [version, none] = [5, 0];
  socket.write(Buffer.of(version, 1, none));
  await bytesOf(socket, 2);
  const [connectCommand, ipv4] = [1, 1];
  socket.write(Buffer.of(version, connectCommand, 0, ipv4, 127, 0, 0, 1, port >> 8, port & 0xff));
  const answer = await bytesOf(socket, 10);
  if (answer[1] !== 0) throw new Error(`the proxy answered ${String(answer[1])}`);
  socket.write("GET /version HTTP/1.0\r\n\r\n");
  return text(socket);
}

/** Requests a page over a Unix socket. */
export function askSocket(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path: "/version" }, (response) => resolve(text(response))).on(
      "error",
      reject,
    );
  });
}

/** Reads the next bytes; a proxy's answers arrive whole. */
async function bytesOf(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const found: unknown = socket.read(count);
    if (Buffer.isBuffer(found)) return found;
    await new Promise((resolve, reject) => {
      socket.once("readable", resolve);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("the proxy closed the connection")));
    });
  }
}

/** Requests a page over a channel to a port of the workspace. */
async function askChannel(client: Client, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    client.forwardOut("127.0.0.1", 0, "127.0.0.1", port, (error, channel) => {
      if (error !== undefined) {
        reject(error);
        return;
      }
      channel.write("GET /version HTTP/1.0\r\n\r\n");
      resolve(text(channel));
    });
  });
}

/** Creates directories with a command and copies a file into them over SFTP. */
async function copyFile(
  client: Client,
  directory: string,
  name: string,
  content: string,
): Promise<void> {
  await text(await execute(client, `mkdir -p '${directory}'`));
  const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
    client.sftp((error, opened) => (error === undefined ? resolve(opened) : reject(error)));
  });
  await new Promise<void>((resolve, reject) => {
    sftp.writeFile(`${directory}/${name}`, content, { mode: 0o600 }, (error) =>
      error == null ? resolve() : reject(error),
    );
  });
  sftp.end();
}
