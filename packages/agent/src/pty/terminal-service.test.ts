import { createHash } from "node:crypto";
import { getEventListeners, once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";

import { type Clock, silentLogger, systemClock } from "@slipway/runtime";
import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

import { isAlive, openCommandHost, shellCommand } from "../../tests/support/command-host.ts";
import { listenOnLoopback } from "../../tests/support/loopback-service.ts";
import type { AcceptedConnection } from "../connections/accepted-connection.ts";
import { DescriptorBudget } from "../connections/descriptors.ts";
import { type ConnectionReport, SessionLog } from "../connections/session-log.ts";
import { disabledText } from "../containers/container-feature.ts";
import { createTerminalService } from "./terminal-service.ts";

const firstId = "0f8fad5b-d9cb-469f-a165-70867728950e";
const secondId = "1f8fad5b-d9cb-469f-a165-70867728950e";

interface Client {
  readonly socket: Socket;
  readonly output: () => string;
  type(message: object): void;
}

interface World {
  readonly reports: readonly ConnectionReport[];
  readonly stop: () => void;
  readonly accept: (connection: AcceptedConnection) => void;
  readonly open: (init: object) => Client;
  /** The number of listeners that wait for the agent to shut down. */
  readonly listeners: () => number;
  readonly prepared: readonly string[];
}

interface WorldOptions {
  readonly clock?: Clock;
  /** Resolves when commands may run. */
  readonly ready?: Promise<void>;
  readonly maxTerminals?: number;
}

async function openWorld({
  clock = systemClock,
  ready = Promise.resolve(),
  maxTerminals = 1_000,
}: WorldOptions = {}): Promise<World> {
  const commands = openCommandHost(clock);
  const stopping = new AbortController();
  const reports: ConnectionReport[] = [];
  const prepared: string[] = [];
  onTestFinished(() => {
    stopping.abort();
    commands[Symbol.dispose]();
  });
  const service = createTerminalService({
    prepare: async (text, { extra }) => {
      prepared.push(text);
      await ready;
      const command = shellCommand(text);
      return { ...command, environment: { ...command.environment, TERM: extra?.["TERM"] ?? "" } };
    },
    containers: { isEnabled: false, reason: "off" },
    commands,
    sessions: new SessionLog({ report: (one) => void reports.push(one), now: () => 0 }),
    logger: silentLogger,
    descriptors: new DescriptorBudget(8 * maxTerminals).share(),
    signal: stopping.signal,
  });
  const port = await listenOnLoopback(service);
  return {
    reports,
    prepared,
    stop: () => stopping.abort(),
    accept: (connection) => service.accept(connection),
    listeners: () => getEventListeners(stopping.signal, "abort").length,
    open: (init) => openClient(port, init),
  };
}

function openClient(port: number, init: object): Client {
  const socket = connect({ host: "127.0.0.1", port });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  const json = Buffer.from(JSON.stringify(init));
  const length = Buffer.alloc(2);
  length.writeUInt16LE(json.length);
  socket.write(Buffer.concat([length, json]));
  let output = "";
  socket.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return {
    socket,
    output: () => output,
    type: (message) => void socket.write(JSON.stringify(message)),
  };
}

describe("the terminal service", () => {
  it("runs a command of the size, types into it, and ends with it", async () => {
    const { open, reports } = await openWorld();
    const init = {
      ID: firstId,
      Height: 30,
      Width: 100,
      Command: "stty size; echo $TERM; read x; echo =$x",
    };
    const client = open(init);
    await expect.poll(client.output).toContain("30 100\r\nxterm-256color\r\n");
    client.type({ height: 31, width: 101, data: "hello\r" });
    await once(client.socket, "end");
    expect(client.output()).toContain("=hello\r\n");
    await expect
      .poll(() => reports.map(({ action, type, reason }) => [action, type, reason]))
      .toEqual([
        ["connect", "reconnecting-pty", ""],
        ["disconnect", "reconnecting-pty", "graceful"],
      ]);
  });

  it("shows the newest output to those who come back, and lets several share a terminal", async () => {
    const { open, prepared } = await openWorld();
    const first = open({ ID: firstId, Command: "echo begun; cat" });
    await expect.poll(first.output).toContain("begun");
    first.socket.destroy();
    const second = open({ ID: firstId, Command: "ignored" });
    await expect.poll(second.output).toContain("begun");
    const third = open({ ID: firstId });
    await expect.poll(third.output).toContain("begun");
    second.type({ data: "typed\r" });
    await expect.poll(third.output).toContain("typed\r\ntyped");
    expect(prepared).toEqual(["echo begun; cat"]);
  });

  it("keeps terminals of different names apart", async () => {
    const { open } = await openWorld();
    const first = open({ ID: firstId, Command: "echo one; cat" });
    const second = open({ ID: secondId, Command: "echo two; cat" });
    await expect.poll(first.output).toBe("one\r\n");
    await expect.poll(second.output).toBe("two\r\n");
  });

  it("replays no more than 64 KiB, and goes on without a client", async () => {
    const { open } = await openWorld();
    const first = open({ ID: firstId, Command: "seq 1 100000; echo done; cat" });
    await expect.poll(first.output).toContain("\r\n10\r\n");
    first.socket.destroy();
    const second = open({ ID: firstId });
    await expect.poll(second.output).toContain("done\r\n");
    second.socket.destroy();
    const third = open({ ID: firstId });
    await expect.poll(third.output).toContain("done\r\n");
    expect(third.output().length).toBe(64 * 1024);
  });

  it("waits for its only client, and not for one of several", { timeout: 120_000 }, async () => {
    const { open } = await openWorld();
    const slow = open({ ID: firstId, Command: "echo $$; seq 1 2000000; echo done; cat" });
    await expect.poll(slow.output).toContain("\r\n");
    slow.socket.pause();
    const fast = open({ ID: firstId });
    // No matter how long a busy machine takes: a terminal that waits for the slow viewer never gets there.
    await expect.poll(() => fast.output().endsWith("done\r\n"), { timeout: 100_000 }).toBe(true);
    // It was disconnected, and may reconnect.
    slow.socket.resume();
    await once(slow.socket, "close");
  });

  it("shows all output before the end to several clients, however slowly they read", async () => {
    const { open } = await openWorld();
    const lines = 1_000_000;
    const command = `stty -onlcr -echo; echo ready; read x; seq 1 ${lines}`;
    const clients = [1, 2, 3].map(() => open({ ID: firstId, Command: command }));
    for (const { output } of clients) await expect.poll(output).toBe("ready\n");
    const sums = clients.map(async ({ socket }, index) => {
      const hash = createHash("sha256");
      socket.on("data", (chunk: Buffer) => {
        hash.update(chunk);
        if (index === 0) return;
        socket.pause();
        setImmediate(() => socket.resume());
      });
      await once(socket, "end");
      return hash.digest("hex");
    });
    clients[0]?.type({ data: "\n" });
    const wanted = createHash("sha256");
    for (let line = 1; line <= lines; line += 1) wanted.update(`${line}\n`);
    const sum = wanted.digest("hex");
    expect(await Promise.all(sums)).toEqual([sum, sum, sum]);
  });

  it("ends five minutes after the last client has left", async () => {
    const clock = createFakeClock();
    const { open } = await openWorld({ clock });
    const client = open({ ID: firstId, Command: "echo $$; cat" });
    await expect.poll(client.output).toMatch(/\d+\r\n/);
    const pid = Number(client.output());
    await clock.advance(3_600_000);
    expect(isAlive(pid)).toBe(true);
    client.socket.destroy();
    await expect.poll(() => clock.sleepers).toBe(1);
    await clock.advance(299_000);
    expect(isAlive(pid)).toBe(true);
    await clock.advance(1_000);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it("ends after 30 seconds if its only client leaves before the command runs", async () => {
    const clock = createFakeClock();
    const ready = Promise.withResolvers<void>();
    const { open, prepared, reports } = await openWorld({ clock, ready: ready.promise });
    const file = join(mkdtempSync(join(tmpdir(), "slipway-terminal-")), "pid");
    onTestFinished(() => rmSync(dirname(file), { recursive: true }));
    const client = open({
      ID: firstId,
      Command: `echo $$ > ${file}.new; mv ${file}.new ${file}; cat`,
    });
    await expect.poll(() => prepared.length).toBe(1);
    client.socket.resetAndDestroy();
    await expect.poll(() => reports.at(-1)?.action).toBe("disconnect");
    ready.resolve();
    await expect.poll(() => existsSync(file)).toBe(true);
    const pid = Number(readFileSync(file, "utf8"));
    await expect.poll(() => clock.sleepers).toBe(1);
    await clock.advance(29_000);
    expect(isAlive(pid)).toBe(true);
    await clock.advance(1_000);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it("says in the terminal that there are no containers, and opens none elsewhere", async () => {
    const { open, prepared } = await openWorld();
    const client = open({ ID: firstId, Container: "box", Command: "echo here" });
    await once(client.socket, "end");
    expect(client.output()).toBe(`${disabledText("off")}\r\n`);
    expect(prepared).toEqual([]);
  });

  it.each([{ ID: "none" }, {}])(
    "closes the connection of a client that begins with %j",
    async (init) => {
      const { open, prepared } = await openWorld();
      const client = open(init);
      await once(client.socket, "close");
      expect(client.output()).toBe("");
      expect(prepared).toEqual([]);
    },
  );

  it("opens no more terminals than it has descriptors for, and others once those have ended", async () => {
    const { open, listeners } = await openWorld({ maxTerminals: 1 });
    const before = listeners();
    const first = open({ ID: firstId, Command: "echo first; read x" });
    await expect.poll(first.output).toBe("first\r\n");
    const refused = open({ ID: secondId, Command: "echo refused" });
    await once(refused.socket, "close");
    expect(refused.output()).toBe("");
    first.type({ data: "\r" });
    await once(first.socket, "end");
    const second = open({ ID: secondId, Command: "echo second" });
    await once(second.socket, "end");
    expect(second.output()).toBe("second\r\n");
    await expect.poll(listeners).toBe(before);
  });

  it("serves 512 clients at a time, however many it has served", async () => {
    const { accept, reports } = await openWorld();
    const admit = (): PassThrough => {
      const connection = new PassThrough();
      onTestFinished(() => void connection.destroy());
      accept(connection);
      return connection;
    };
    const [first] = Array.from({ length: 512 }, admit);
    expect(admit().destroyed).toBe(true);
    first?.destroy();
    await expect.poll(() => reports.at(-1)?.action).toBe("disconnect");
    expect(admit().destroyed).toBe(false);
    expect(admit().destroyed).toBe(true);
  });

  it("ends its terminals and connections when the agent shuts down", async () => {
    const { open, stop, reports } = await openWorld();
    const client = open({ ID: firstId, Command: "echo $$; cat" });
    await expect.poll(client.output).toMatch(/\d+\r\n/);
    const pid = Number(client.output());
    stop();
    await once(client.socket, "close");
    await expect.poll(() => isAlive(pid)).toBe(false);
    await expect
      .poll(() => reports.at(-1))
      .toMatchObject({ action: "disconnect", statusCode: 1, reason: "server_shutdown" });
  });
});
