import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { askSocket, askThroughProxy } from "@slipway/testkit/compliance";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { agents } from "./support/network/agents.ts";
import { commands, ourCommand } from "./support/network/commands.ts";
import { digest, findFreePort } from "./support/network/forwarded-ports.ts";
import { OpenSsh } from "./support/network/openssh.ts";
import { type ReachedAgent, startAgent } from "./support/network/reached-agent.ts";
import { type NetworkServer, ourServer } from "./support/network/servers.ts";

/*
 * The tools that people use over OpenSSH, with the configuration that `config-ssh` writes: each agent with our command,
 * and our agent with each command (SLIPWAY_STOCK_AGENT, SLIPWAY_STOCK_COMMAND).
 */

const opened = new AsyncDisposableStack();
let homes = "";
let server: NetworkServer;

beforeAll(async () => {
  homes = await mkdtemp(join(tmpdir(), "slipway-tools-"));
  opened.defer(() => rm(homes, { recursive: true, force: true }));
  server = opened.use(await ourServer.open());
});
afterAll(() => opened.disposeAsync());

const [ourAgent] = agents;
const pairs = [
  ...agents.map((agent) => ({ agent, command: ourCommand })),
  ...commands.filter(({ isOurs }) => !isOurs).map((command) => ({ agent: ourAgent, command })),
].flatMap(({ agent, command }) => (agent === undefined ? [] : [{ agent, command }]));

describe.each(pairs.map((pair) => [pair.agent.name, pair.command.name, pair] as const))(
  "%s, by the configuration of %s:",
  (_agent, _command, { agent, command }) => {
    let reached: ReachedAgent;
    let openSsh: OpenSsh;
    let local = "";

    beforeAll(async () => {
      reached = await startAgent(agent, server, await mkdtemp(join(homes, "a-")));
      openSsh = await OpenSsh.configure(command, server, homes);
      local = await mkdtemp(join(homes, "l-"));
    });
    afterAll(() => reached[Symbol.asyncDispose]());

    it("ssh, with bytes each way and an exit code", async () => {
      const bytes = randomBytes(1_000_000);
      const found = await openSsh.run("ssh", [reached.host, "cat; exit 7"], bytes);
      expect(found.code).toBe(7);
      expect(digest(found.bytes)).toBe(digest(bytes));
    });

    it.each([["-s"], ["-O"]])("scp %s, both ways", async (protocol) => {
      const bytes = randomBytes(5_000_000);
      await writeFile(join(local, "file"), bytes);
      const there = `${reached.host}:copy`;
      await openSsh.expect("scp", [protocol, join(local, "file"), there]);
      await openSsh.expect("scp", [protocol, there, join(local, "back")]);
      expect(digest(await readFile(join(local, "back")))).toBe(digest(bytes));
    });

    it("sftp", async () => {
      const lines =
        "mkdir sftp\nput /etc/hostname sftp/name\nls -l sftp\nrename sftp/name sftp/n\ndf\n";
      const printed = await openSsh.expect("sftp", ["-b", "-", reached.host], lines);
      expect(printed).toMatch(/sftp\/name/);
      expect(await readFile(join(reached.home, "sftp/n"))).toEqual(await readFile("/etc/hostname"));
    });

    it("rsync, both ways, with what has changed only", async () => {
      await mkdir(join(local, "tree/deep"), { recursive: true });
      await writeFile(join(local, "tree/deep/file"), randomBytes(500_000));
      const sync = (from: string, to: string): Promise<string> =>
        openSsh.expect("rsync", ["-a", "--stats", "-e", `ssh -F ${openSsh.file}`, from, to]);
      expect(await sync(`${local}/tree/`, `${reached.host}:tree/`)).toMatch(
        /regular files transferred: 1/,
      );
      expect(await sync(`${local}/tree/`, `${reached.host}:tree/`)).toMatch(
        /regular files transferred: 0/,
      );
      await sync(`${reached.host}:tree/`, `${local}/again/`);
      expect(await readFile(join(local, "again/deep/file"))).toEqual(
        await readFile(join(local, "tree/deep/file")),
      );
    });

    it("git clone and push", async () => {
      await openSsh.expect("ssh", [reached.host, "git init -q --bare -b main project.git"]);
      const clone = join(local, "project");
      await openSsh.expect("git", ["clone", "-q", `${reached.host}:project.git`, clone]);
      const git = (...words: string[]): Promise<string> =>
        openSsh.expect("git", ["-C", clone, "-c", "user.name=a", "-c", "user.email=a@b", ...words]);
      await git("commit", "-q", "--allow-empty", "-m", "from afar");
      await git("push", "-q", "origin", "HEAD:main");
      const log = await openSsh.expect("ssh", [reached.host, "git -C project.git log main"]);
      expect(log).toContain("from afar");
    });

    it("an editor that starts its server and reaches it through a proxy and by a socket", async () => {
      const support = fileURLToPath(new URL("support/", import.meta.url));
      await writeFile(join(local, "server.js"), await readFile(`${support}editor-server.js`));
      const archive = join(local, "editor.tar.gz");
      await openSsh.expect("tar", ["-czf", archive, "-C", local, "server.js"]);
      await openSsh.expect("scp", [archive, `${reached.host}:`]);
      const script = `NODE=${process.execPath}\n${await readFile(`${support}editor-bootstrap.sh`, "utf8")}`;
      const printed = await openSsh.expect("ssh", ["-T", reached.host, "sh"], script);
      const port = Number(/^listeningOn=(\d+)$/m.exec(printed)?.[1]);
      const path = /^socket=(.+)$/m.exec(printed)?.[1] ?? "";
      const proxyPort = await findFreePort();
      const here = join(local, "editor.sock");
      const forwards = ["-D", `127.0.0.1:${proxyPort}`, "-L", `${here}:${path}`];
      const child = openSsh.start("ssh", ["-N", ...forwards, reached.host]);
      onTestFinished(async () => {
        child.kill();
        await openSsh.run("ssh", [reached.host, "kill $(cat .editor-server/pid)"]);
      });
      await expect
        .poll(() => askThroughProxy(proxyPort, port).catch(String), { timeout: 30_000 })
        .toMatch(/editor \/version$/);
      expect(await askSocket(here)).toBe("editor /version");
    });

    it("a port of this machine in the workspace", async () => {
      const port = await findFreePort();
      const line = `printf 'GET /version HTTP/1.0\\r\\n\\r\\n' | ${process.execPath} -e '
        const socket = require("net").connect(${port}, "127.0.0.1", () => process.stdin.pipe(socket, { end: false }));
        socket.pipe(process.stdout);'`;
      const { createServer } = await import("node:http");
      const own = createServer((request, response) => response.end(`mine ${request.url}`));
      onTestFinished(() => void own.close());
      await new Promise<void>((resolve) => void own.listen(0, "127.0.0.1", resolve));
      const address = own.address();
      const target = typeof address === "object" ? address?.port : 0;
      const forward = ["-R", `127.0.0.1:${port}:127.0.0.1:${target}`];
      const printed = await openSsh.expect("ssh", [...forward, reached.host, line]);
      expect(printed).toContain("mine /version");
    });
  },
);
