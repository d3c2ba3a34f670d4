import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { openEchoService, openUdpEchoService } from "./support/echo-service.ts";
import { agents } from "./support/network/agents.ts";
import { commands, InstalledCommand } from "./support/network/commands.ts";
import { digest, echoTcp, echoUdp, findFreePort } from "./support/network/forwarded-ports.ts";
import {
  type NetworkServer,
  type NetworkWorkspace,
  servers,
  untilConnected,
} from "./support/network/servers.ts";
import { untilPrinted } from "./support/network/until-printed.ts";

/*
 * Everything that a command does over the network, for each server, agent and command: ours, and the stock ones that
 * the environment names (SLIPWAY_STOCK_SERVER, SLIPWAY_STOCK_AGENT, SLIPWAY_STOCK_COMMAND).
 */

const opened = new AsyncDisposableStack();
let homes = "";
/** The ports of the workspace's echo services. */
let echoPort = 0;
let udpEchoPort = 0;

beforeAll(async () => {
  homes = await mkdtemp(join(tmpdir(), "slipway-matrix-"));
  opened.defer(() => rm(homes, { recursive: true, force: true }));
  echoPort = opened.use(await openEchoService()).port;
  udpEchoPort = opened.use(await openUdpEchoService()).port;
});
afterAll(() => opened.disposeAsync());

describe.each(servers)("on $name", (serverKind) => {
  let server: NetworkServer;
  beforeAll(async () => {
    server = await serverKind.open();
    return () => server[Symbol.asyncDispose]();
  });

  describe.each(agents)("$name is reached by", (agentKind) => {
    let workspace: NetworkWorkspace;
    let agent: ChildProcess | undefined;
    beforeAll(async () => {
      const { client } = server;
      workspace = await server.openWorkspace(agentKind.name);
      const home = join(homes, `agent-${workspace.id}-${String(agents.indexOf(agentKind))}`);
      const { token } = workspace;
      agent = await agentKind.start({ serverUrl: client.serverUrl, token, home });
      await untilConnected(client, workspace.id);
    });
    afterAll(async () => {
      if (agent === undefined || agent.exitCode !== null || agent.signalCode !== null) return;
      const exited = once(agent, "exit");
      agent.kill("SIGKILL");
      await exited;
    });

    describe.each(commands)("$name:", (commandKind) => {
      let command: InstalledCommand;
      beforeAll(async () => {
        command = await InstalledCommand.install(commandKind, await mkdtemp(join(homes, "c-")));
        const { serverUrl, headers } = server.client;
        const token = headers["Coder-Session-Token"] ?? "";
        await command.expect(["login", serverUrl, "--token", token]);
      });

      it("list", async () => {
        expect(await command.expect(["list"])).toContain(workspace.name);
      });

      it.each([
        { path: "the relay", flags: ["--disable-direct-connections"] },
        { path: "any path", flags: [] },
      ])("ssh with a script on stdin, over $path", async ({ flags }) => {
        const text = randomBytes(150_000).toString("base64").replaceAll(/.{64}/g, "$&\n");
        const script = `sha256sum <<'END'\n${text}\nEND\nexit 3\n`;
        const { code, stdout } = await command.run(["ssh", ...flags, workspace.name], script);
        expect(code).toBe(3);
        expect(stdout).toContain(digest(`${text}\n`));
      });

      it("ssh --stdio for OpenSSH, with a command and bytes each way", async () => {
        const bytes = randomBytes(3_000_000);
        const received = await command.openSsh(workspace.name, "cat; exit 7", bytes);
        expect(received.code).toBe(7);
        expect(digest(received.bytes)).toBe(digest(bytes));
      });

      it("port-forward of TCP and UDP", async () => {
        const [tcp, udp] = [await findFreePort(), await findFreePort()];
        const ports = ["--tcp", `${tcp}:${echoPort}`, "--udp", `${udp}:${udpEchoPort}`];
        const child = command.start(["port-forward", workspace.name, ...ports]);
        onTestFinished(() => void child.kill("SIGKILL"));
        await untilPrinted(child, /^Ready/m);
        const bytes = randomBytes(5_000_000);
        expect(await echoTcp(tcp, bytes)).toBe(digest(bytes));
        const datagrams = Array.from({ length: 50 }, () => randomBytes(1_000));
        expect(await echoUdp(udp, datagrams)).toBe(digest(Buffer.concat(datagrams)));
      });

      it("ping over the relay", async () => {
        const flags = ["-n", "3", "--wait", "200ms", "--disable-direct-connections"];
        const printed = await command.expect(["ping", ...flags, workspace.name]);
        expect(printed.match(/^pong from .* (via DERP|through the relay)/gm)).toHaveLength(3);
      });

      it("ping over a direct path", async () => {
        const printed = await command.expect([
          "ping",
          "-n",
          "25",
          "--wait",
          "200ms",
          workspace.name,
        ]);
        expect(printed).toMatch(/^pong from .* (p2p|direct) via /m);
      });

      it.each(["down", "up"])("speedtest %s", async (direction) => {
        const flags = ["-t", "1s", "--direction", direction, "-o", "json"];
        const printed = await command.expect(["speedtest", ...flags, workspace.name]);
        const { overall } = JSON.parse(printed);
        expect(overall.throughput_mbits).toBeGreaterThan(1);
      });

      it("netcheck", async () => {
        const report = commandKind.isOurs ? ["netcheck", "-o", "json"] : ["netcheck"];
        const found = JSON.parse(await command.expect(report));
        const healthy = commandKind.isOurs ? { transport: "upgrade" } : { derp: { healthy: true } };
        expect(found).toMatchObject(healthy);
      });
    });
  });
});
