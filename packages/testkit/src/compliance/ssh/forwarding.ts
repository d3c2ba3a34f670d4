import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import type { Client } from "ssh2";
import { describe, expect, it, onTestFinished } from "vitest";

import { ask, askSoon, findFreePort, openEcho } from "./local-peers.ts";
import { endOf, execute, type CurrentSubject } from "./subject.ts";

const cookie = "00112233445566778899aabbccddeeff";

/** Ports, Unix sockets, authentication agents and X11 displays (RFC 4254, 6.3 and 7; OpenSSH's PROTOCOL, 2.4). */
export function describeForwarding(subject: CurrentSubject): void {
  describe("forwarding over OpenSSH's client", () => {
    it("connects to a port of the workspace, and ends each direction by itself", async () => {
      const port = await openEcho(0);
      const child = subject().start([], ["-W", `127.0.0.1:${port}`]);
      child.stdin?.end("hello");
      expect(await endOf(child)).toMatchObject({ stdout: "echo hello", exitCode: 0 });
    });

    it("connects to a Unix socket of the workspace", async () => {
      const [here, there] = [join(subject().home, "here"), join(subject().home, "there")];
      await openEcho(there);
      subject().start([], ["-N", "-L", `${here}:${there}`]);
      expect(await askSoon({ path: here })).toBe("echo hello");
    });

    it("listens on a port of the workspace for the client, until it goes", async () => {
      const target = await openEcho(0);
      const port = await findFreePort();
      const child = subject().start([], ["-N", "-R", `127.0.0.1:${port}:127.0.0.1:${target}`]);
      expect(await askSoon({ port })).toBe("echo hello");
      child.kill("SIGKILL");
      await expect
        .poll(() => ask({ port }).catch((error: Error) => error.message))
        .toMatch("REFUSED");
    });

    it("listens on a Unix socket of the workspace for the client", async () => {
      const target = await openEcho(0);
      const path = join(subject().home, "socket");
      subject().start([], ["-N", "-R", `${path}:127.0.0.1:${target}`]);
      expect(await askSoon({ path })).toBe("echo hello");
    });

    it.each([
      ["chooses a port where the client leaves that open, until it cancels", (): number => 0],
      ["listens on a port that it chose until the client names that one", (port: number) => port],
    ])("%s", async (_, named) => {
      const client = await subject().connect();
      client.on("tcp connection", (_info, accept) => void accept().end("from the client"));
      const chosen = await new Promise<number>((resolve, reject) => {
        client.forwardIn("127.0.0.1", 0, (error, found) =>
          error === undefined ? resolve(found) : reject(error),
        );
      });
      expect(await ask({ port: chosen })).toBe("from the client");
      await new Promise((resolve) => {
        client.unforwardIn("127.0.0.1", named(chosen), resolve);
      });
      await expect(ask({ port: chosen })).rejects.toThrow("ECONNREFUSED");
    });

    it("lends the client's authentication agent to its commands, and to no others", async () => {
      const key = join(subject().home, "key");
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "my key", "-f", key]);
      const socket = join(subject().home, "agent");
      const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
      onTestFinished(() => void agent.kill("SIGKILL"));
      await expect.poll(() => existsSync(socket)).toBe(true);
      const environment = { SSH_AUTH_SOCK: socket };
      execFileSync("ssh-add", ["-q", key], {
        env: { ...process.env, ...environment },
        stdio: "ignore",
      });
      const lent = await endOf(subject().start(["ssh-add -l"], ["-A"], environment));
      expect(lent).toMatchObject({ stdout: expect.stringContaining("my key"), exitCode: 0 });
      const other = await endOf(subject().start(["echo =$SSH_AUTH_SOCK"], ["-a"], environment));
      expect(other.stdout).toBe("=\n");
    });
  });

  describe("a forwarded channel", () => {
    it("keeps its other direction open after one has ended", async () => {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        socket.end("over here\n");
        void text(socket).then((received) => (heard = received));
      });
      let heard = "";
      onTestFinished(() => void server.close());
      const path = join(subject().home, "half");
      server.listen(path);
      await once(server, "listening");
      const channel = await forwardTo(await subject().connect(), path);
      expect(await text(channel)).toBe("over here\n");
      channel.end("still here");
      await expect.poll(() => heard).toBe("still here");
    });

    it("is refused where nobody listens", async () => {
      const client = await subject().connect();
      await expect(forwardTo(client, join(subject().home, "nobody"))).rejects.toThrow();
      const port = await findFreePort();
      const refused = new Promise((resolve) => {
        client.forwardOut("127.0.0.1", 0, "127.0.0.1", port, resolve);
      });
      expect(await refused).toBeInstanceOf(Error);
    });
  });

  describe("an X11 display", () => {
    it("is the client's, for the programs of the session", async () => {
      const client = await subject().connect();
      client.on("x11", (_info, accept) => void accept().end("display"));
      const x11 = { single: false, screen: 2, protocol: "MIT-MAGIC-COOKIE-1", cookie };
      const script = `
        const [, display, screen] = /:(\\d+)\\.(\\d+)/.exec(process.env.DISPLAY);
        const socket = require("net").connect(6000 + Number(display), "127.0.0.1");
        socket.on("data", (data) => console.log(screen + " " + data));`;
      const channel = await execute(client, `${process.execPath} -e '${script}'`, { x11 });
      expect(await text(channel)).toBe("2 display\n");
    });
  });
}

function forwardTo(client: Client, path: string): Promise<NodeJS.ReadWriteStream> {
  return new Promise((resolve, reject) => {
    client.openssh_forwardOutStreamLocal(path, (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(error);
    });
  });
}
