import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect as connectSocket, createServer as createEchoServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { type Clock, silentLogger, systemClock } from "@slipway/runtime";
import { connectWorkspace } from "@slipway/sdk/workspace";
import { afterAll, beforeAll, expect, it } from "vitest";

import { openClient } from "../../src/command/connect.ts";
import { InterruptError } from "../../src/command/errors.ts";
import { runCommandLine } from "../../src/command/run-command-line.ts";
import { commandTable } from "../../src/gen/command-table.ts";
import { chooseAgent } from "../../src/resources/network/agent-reference.ts";
import {
  type CommandResult,
  type CommandServer,
  openCommandServer,
} from "../support/command-server.ts";
import { type MemoryTerminal, memoryTerminal } from "../support/memory-terminal.ts";

/* The commands that reach into a workspace, with a server and an agent in separate processes. */

const template = `
driver: process
agents:
  main: { os: linux, arch: amd64 }
`;

/** The next header of TCP in an IPv6 packet, whose source is 16 bytes after the first 8. */
const tcpProtocol = 6;

let commandServer: CommandServer;
beforeAll(async () => {
  commandServer = await openCommandServer();
  await mkdir(join(commandServer.directory, "box"));
  await writeFile(join(commandServer.directory, "box", "slipway.yaml"), template);
  expect(await slipway("templates push @/box")).toMatchObject({ code: 0 });
  expect(await slipway("create demo -t box")).toMatchObject({ code: 0 });
});
afterAll(() => commandServer[Symbol.asyncDispose]());

function slipway(line: string, input?: string): Promise<CommandResult> {
  return commandServer.slipway(line, undefined, input);
}

interface Running {
  readonly terminal: MemoryTerminal;
  readonly code: Promise<number>;
  /** Presses Ctrl-C. */
  readonly interrupt: () => void;
}

/** Starts a command that runs until it is interrupted. */
function start(line: string, clock: Clock = systemClock): Running {
  const terminal = memoryTerminal();
  const ending = new AbortController();
  const code = runCommandLine(commandTable, line.split(" "), {
    ...commandServer.needs(terminal),
    clock,
    signal: ending.signal,
  });
  return { terminal, code, interrupt: () => ending.abort(new InterruptError("SIGINT")) };
}

async function freePort(): Promise<number> {
  const free = createServer();
  await new Promise<void>((resolve) => void free.listen(0, "127.0.0.1", resolve));
  const address = free.address();
  await new Promise((resolve) => void free.close(resolve));
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

it("connects to a port of the agent without waiting for the answer to its ping", async () => {
  const { server, admin } = commandServer;
  const client = openClient(server.url, admin.headers["Coder-Session-Token"]);
  const { signal } = new AbortController();
  const params = { user: "me", name: "demo" };
  const workspace = await client.call(getWorkspaceByName, { params });
  const packets: { readonly source: string; readonly protocol: number | undefined }[] = [];
  await using connection = await connectWorkspace({
    client,
    agentId: chooseAgent(workspace, undefined).id,
    disableDirect: false,
    onPackets: (some) => {
      for (const packet of some) {
        packets.push({
          source: Buffer.from(packet.subarray(8, 24)).toString("hex"),
          protocol: packet[6],
        });
      }
    },
    clock: systemClock,
    logger: silentLogger,
    signal,
  });
  const agent = Buffer.from(connection.address).toString("hex");
  await using _ = await connection.dial(1, signal);
  const [tcp, answer] = [
    packets.findIndex(({ protocol }) => protocol === tcpProtocol),
    packets.findIndex(({ source }) => source === agent),
  ];
  expect(answer).toBeGreaterThan(0);
  expect(tcp).toBeLessThan(answer);
});

it("runs a command in a workspace, with its exit code and both streams", async () => {
  const ran = await slipway("ssh demo -- echo out; echo err >&2; exit 7");
  // A connection that takes longer than a second is announced first.
  const isSlow = "(connecting to admin/demo\\.main…\n)?";
  expect(ran).toEqual({
    code: 7,
    out: "out\n",
    err: expect.stringMatching(new RegExp(`^${isSlow}err\n$`)),
  });
  expect(await slipway("ssh admin/demo.main --disable-direct-connections cat", "typed")).toEqual({
    code: 0,
    out: "typed",
    err: expect.stringMatching(new RegExp(`^${isSlow}$`)),
  });
  expect(
    await slipway(
      "ssh -e GREETING=hello main.demo.admin.test --hostname-suffix test -- echo $GREETING",
    ),
  ).toMatchObject({ code: 0, out: "hello\n" });
});

it("gives a command a terminal with -t", async () => {
  const ran = await slipway("ssh -t demo -- test -t 0 && stty size");
  expect(ran).toMatchObject({ code: 0, out: "24 80\r\n" });
});

it("starts a stopped workspace for a session, unless told not to", async () => {
  await slipway("stop demo");
  expect(await slipway("ssh demo --disable-autostart -- true")).toMatchObject({ code: 1 });
  const ran = await slipway("ssh demo -- echo up");
  expect(ran).toMatchObject({ code: 0, out: "up\n" });
  expect(ran.err).toContain("admin/demo is stopped, starting it\n");
});

it("names what is missing", async () => {
  expect(await slipway("ssh none -- true")).toMatchObject({ code: 4 });
  const unknown = await slipway("ssh demo.other -- true");
  expect(unknown).toMatchObject({ code: 4 });
  expect(unknown.err).toContain('admin/demo has no agent "other", wanted one of main');
  expect(await slipway("port-forward demo")).toMatchObject({ code: 2 });
});

it("forwards a port until it is interrupted", async () => {
  const server = createServer((_, response) => void response.end("from the workspace"));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const remotePort = typeof address === "object" ? (address?.port ?? 0) : 0;
  const localPort = await freePort();
  const { terminal, code, interrupt } = start(`port-forward demo --tcp ${localPort}:${remotePort}`);
  await expect.poll(() => terminal.errText(), { timeout: 20_000 }).toContain("Ready\n");
  // A busy machine is told that it waits.
  expect(terminal.errText().replace(/^connecting to .*\n/m, "")).toBe(
    `Forwarding 127.0.0.1:${localPort} to tcp port ${remotePort}\nReady\n`,
  );
  const read = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${localPort}`, { headers: { connection: "close" } })).text();
  expect(await Promise.all(Array.from({ length: 50 }, read))).toEqual(
    Array.from({ length: 50 }, () => "from the workspace"),
  );
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
  await expect(read()).rejects.toThrow("fetch failed");
  expect(terminal.errText()).toContain(`port ${remotePort} of the workspace refused`);
  interrupt();
  expect(await code).toBe(130);
  await expect(read()).rejects.toThrow("fetch failed");
});

it("ends a forward once the workspace has been restarted", async () => {
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => systemClock.sleep(ms / 10, signal),
  };
  const { terminal, code } = start(`port-forward demo --tcp ${await freePort()}:9`, clock);
  await expect.poll(() => terminal.errText(), { timeout: 20_000 }).toContain("Ready\n");
  expect(await slipway("restart demo")).toMatchObject({ code: 0 });
  expect(await code).toBe(1);
  expect(terminal.errText()).toContain("workspace admin/demo has been stopped or restarted");
});

it("pings the new agent once the workspace has been restarted", async () => {
  const { terminal, code, interrupt } = start("ping demo --wait 50ms --timeout 500ms");
  const restarted = "workspace admin/demo has been restarted\n";
  await expect.poll(() => terminal.outText(), { timeout: 20_000 }).toContain("pong");
  expect(await slipway("restart demo")).toMatchObject({ code: 0 });
  await expect.poll(() => terminal.errText(), { timeout: 20_000 }).toContain(restarted);
  const count = terminal.outText().length;
  await expect.poll(() => terminal.outText().slice(count), { timeout: 20_000 }).toContain("pong");
  interrupt();
  expect(await code).toBe(0);
  expect(terminal.outText()).toMatch(/Path +(direct|through)/);
  expect(terminal.errText()).toBe(
    `pinging admin/demo.main until interrupted by Ctrl-C\n${restarted}`,
  );
});

it("says that a workspace has been stopped in place of an answer", async () => {
  const { terminal, code, interrupt } = start("ping demo --wait 50ms --timeout 500ms");
  await expect.poll(() => terminal.outText(), { timeout: 20_000 }).toContain("pong");
  expect(await slipway("stop demo")).toMatchObject({ code: 0 });
  await expect
    .poll(() => terminal.outText(), { timeout: 20_000 })
    .toContain("admin/demo.main: the workspace is stopped\n");
  interrupt();
  expect(await code).toBe(0);
  expect(await slipway("start demo")).toMatchObject({ code: 0 });
});

it("pings a workspace, and prints the path of each answer and a summary", async () => {
  const pinged = await slipway("ping demo -n 3 --wait 10ms");
  expect(pinged.code).toBe(0);
  expect(pinged.out).toMatch(
    /^(pong from admin\/demo\.main in [\d.]+ ms, (direct|through) .*\n){3}\n/,
  );
  expect(pinged.out).toMatch(/\n3 pings, 3 answered, /);
  const relayed = await slipway("ping demo -n 1 --disable-direct-connections -o json");
  expect(JSON.parse(relayed.out)).toMatchObject({
    agent: "admin/demo.main",
    pings: [{ path: { kind: "relay", region_id: 999 } }],
    summary: { sent: 1, answered: 1, direct: 0 },
    diagnosis: {
      path: { kind: "relay" },
      udp: "off",
      agent_udp: expect.stringMatching(/^(blocked|open|easy NAT|hard NAT)$/),
      obstacles: [{ problem: "--disable-direct-connections is given" }],
    },
  });
  const endless = start("ping demo --wait 10ms");
  await expect.poll(() => endless.terminal.outText(), { timeout: 20_000 }).toContain("pong");
  endless.interrupt();
  expect(await endless.code).toBe(0);
  expect(endless.terminal.errText()).toBe("pinging admin/demo.main until interrupted by Ctrl-C\n");
  expect(await slipway("ping demo -n 0")).toMatchObject({ code: 2 });
});

it.each(["down", "up"])("measures the speed %s", async (direction) => {
  const tested = await slipway(`speedtest demo -t 200ms --direction ${direction} -o json`);
  expect(tested).toMatchObject({ code: 0 });
  const { overall } = JSON.parse(tested.out);
  expect(overall.throughput_mbits).toBeGreaterThan(0);
  expect(overall.end_time_seconds).toBeGreaterThanOrEqual(0.2);
});

it("forwards Unix sockets in both directions", async () => {
  const [here, back] = ["here.sock", "back.sock"].map((name) =>
    join(commandServer.directory, name),
  );
  // The workspace's user may be another one.
  const there = join(tmpdir(), `slipway-${process.pid}-there.sock`);
  await using echo = createEchoServer((socket) => void socket.pipe(socket)).listen(back);
  await once(echo, "listening");
  // A connection goes there, and back again.
  const running = start(`ssh demo -R ${there}:${back} -L ${here}:${there} -- sleep 60`);
  const answerTo = async (text: string): Promise<string> => {
    const socket = connectSocket(String(here));
    try {
      socket.write(text);
      const [answer] = await once(socket, "data");
      return String(answer);
    } finally {
      socket.destroy();
    }
  };
  await expect.poll(() => answerTo("hello").catch(String), { timeout: 20_000 }).toBe("hello");
  running.interrupt();
  expect(await running.code).toBe(255);
});

it("captures the packets of a speed test", async () => {
  const path = join(commandServer.directory, "test.pcap");
  const line = "speedtest demo -t 100ms --pcap-file";
  expect(await slipway(`${line} @/absent/test.pcap`)).toMatchObject({ code: 1 });
  expect(await slipway(`${line} @/test.pcap`)).toMatchObject({ code: 0 });
  const file = await readFile(path);
  expect(file.readUInt32BE(20)).toBe(101);
  const protocols = new Set<number | undefined>();
  const sources = new Set<string>();
  for (let at = 24; at < file.length;) {
    const [keptBytes, allBytes] = [file.readUInt32BE(at + 8), file.readUInt32BE(at + 12)];
    const packet = file.subarray(at + 16, at + 16 + keptBytes);
    expect(packet).toHaveLength(keptBytes);
    expect(allBytes).toBe(40 + packet.readUInt16BE(4));
    protocols.add(packet[6]);
    sources.add(packet.toString("hex", 8, 24));
    at += 16 + keptBytes;
  }
  // TCP, and the pings below it, in both directions.
  expect(protocols).toEqual(new Set([6, 99]));
  expect(sources.size).toBe(2);
});

it.each([
  ["this machine", "netcheck -o json"],
  // No user has logged in there.
  ["a workspace", "ssh demo -- slipway netcheck -o json"],
])("checks the network from %s to the relays", async (_, line) => {
  const checked = await slipway(line);
  expect(checked.code).toBe(0);
  // Rounded to microseconds.
  expect(checked.out).not.toMatch(/\d\.\d{4}/);
  expect(JSON.parse(checked.out)).toMatchObject({
    regions: [{ region_id: 999, home: true, latency_ms: expect.any(Number) }],
    transport: "upgrade",
    websocket_reason: null,
    faults: [],
  });
});
