import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getBuildInfo } from "@slipway/api/deployment/routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import { parseProcStatus } from "@slipway/runtime";
import {
  firstAgent,
  logInAsAdmin,
  openRawAgent,
  openTestDatabase,
  pushTemplate,
  type RawReply,
  readAgentToken,
  type ServerProcess,
  startServerProcess,
  waitForWorkspace,
} from "@slipway/testkit";
import { DrpcCaller } from "@slipway/wire/drpc/caller";
import { Agent, StartupSchema } from "@slipway/wire/protobuf/gen/agent_pb";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { encodeMessage } from "@slipway/wire/protobuf/message";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { WebSocket } from "ws";

/* Hostile peers on every kind of socket: each is disconnected, and the server neither grows nor stops. */

const opened = new AsyncDisposableStack();
let server: ServerProcess;
let client: Awaited<ReturnType<typeof logInAsAdmin>>;
let token: string;
let agentId: string;

/** The memory that concurrent hostile peers may cost, in bytes. */
const allowedGrowth = 200 * 1024 * 1024;

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const environment = {
    SLIPWAY_POSTGRES_URL: database.url,
    SLIPWAY_MAX_STREAMS_PER_USER: "2000",
  };
  server = opened.use(await startServerProcess({ dataDir, port: 0, environment }));
  client = await logInAsAdmin(server.url);
  const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
  const templateId = await pushTemplate(client, "outside", template);
  const body = { name: "dev", template_id: templateId };
  const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
  const workspace = await waitForWorkspace(client, id, ({ latest_build: { job } }) => {
    return job.status === "succeeded";
  });
  agentId = firstAgent(workspace)?.id ?? "";
  token = await readAgentToken(client, id);
});

afterAll(() => opened.disposeAsync());

/** Resolves to the memory of the server's process; 0 if the system does not report it. */
async function memory(): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, "utf8").catch(() => "");
  return (parseProcStatus(status, "VmRSS") ?? 0) * 1024;
}

/** Runs a hostile action and checks that the server still responds and has not grown much. */
async function expectUnharmed(action: () => Promise<void>): Promise<void> {
  const before = await memory();
  await action();
  expect(await client.call(getBuildInfo)).toHaveProperty("version");
  expect((await memory()) - before).toBeLessThan(allowedGrowth);
}

const follow = () => `/workspaceagents/${agentId}/logs?follow=true`;

function openSocket(path: string, headers: Readonly<Record<string, string>>): WebSocket {
  return new WebSocket(`${server.url.replace("http", "ws")}/api/v2${path}`, { headers });
}

async function closeCode(socket: WebSocket): Promise<number> {
  const [code] = await once(socket, "close");
  return Number(code);
}

describe("a WebSocket of an agent", () => {
  it("that sends a text is closed with 1003", () =>
    expectUnharmed(async () => {
      await using agent = await openRawAgent(server.url, token);
      agent.socket.send("hello");
      expect(await agent.closed).toBe(1003);
    }));

  it("that sends a message of more than 4 MiB is closed with 1009", () =>
    expectUnharmed(async () => {
      await using agent = await openRawAgent(server.url, token);
      agent.socket.send(Buffer.alloc(4 * 1024 * 1024 + 1));
      expect(await agent.closed).toBe(1009);
    }));

  it("that sends what is no yamux is closed", () =>
    expectUnharmed(async () => {
      await using agent = await openRawAgent(server.url, token);
      agent.socket.send(Buffer.alloc(1024, 0xff));
      expect(await agent.closed).toBe(1000);
    }));

  it("that sends frames without a mask, or of no known kind, is closed with 1002", () =>
    expectUnharmed(async () => {
      const frames = [
        [0x82, 0x01, 0x00],
        [0x83, 0x80, 1, 2, 3, 4],
        [0xf2, 0x80, 1, 2, 3, 4],
      ];
      for (const frame of frames) expect(await closeCodeOfFrame(frame)).toBe(1002);
    }));

  it("that opens 10,000 streams is refused all but 256", () =>
    expectUnharmed(async () => {
      await using agent = await openRawAgent(server.url, token);
      let refused = 0;
      agent.socket.on("message", (data: Buffer) => {
        for (let at = 0; at + 12 <= data.length; at += 12) refused += isReset(data, at) ? 1 : 0;
      });
      const frames = Buffer.alloc(12 * 10_000);
      for (let at = 0; at < 10_000; at += 1) {
        frames.set([0, 1, 0, 1], at * 12);
        frames.writeUInt32BE(at * 2 + 1, at * 12 + 4);
      }
      agent.socket.send(frames);
      await agent.until(() => refused >= 10_000 - 256);
      expect(refused).toBe(10_000 - 256);
    }));

  it("that begins a message on each of 200 streams and never ends one is held to 8 MiB", () =>
    expectUnharmed(async () => {
      await using agent = await openRawAgent(server.url, token);
      // A frame that claims 4 MiB, of which 3 arrive.
      const beginning = Buffer.alloc(3 * 1024 * 1024);
      beginning.set([0x05, 1, 1, 0x80, 0x80, 0x80, 0x02]);
      for (let at = 0; at < 200; at += 1) {
        agent.yamux.write(agent.yamux.open(0), beginning);
        agent.flush();
      }
      const resets = (): number => agent.events.filter(({ type }) => type === "reset").length;
      await agent.until(() => resets() >= 190);
      expect(resets()).toBeGreaterThanOrEqual(190);
    }));

  it("that calls what nobody knows gets code 12, each time", () =>
    expectUnharmed(async () => {
      await using agent = await openRawAgent(server.url, token);
      const caller = new DrpcCaller();
      const stream = agent.yamux.open(0);
      agent.yamux.write(stream, caller.invoke(`/coder.agent.v2.Agent/${"Nothing".repeat(500)}`));
      agent.flush();
      await agent.until((events) => events.some(({ type }) => type === "data"));
      const answers = agent.events.flatMap((event) =>
        event.type === "data" ? caller.receive(event.bytes) : [],
      );
      expect(answers).toEqual([
        {
          type: "error",
          code: 12,
          message: expect.stringMatching(/^unknown rpc: "\/coder\.agent\.v2\.Agent\/.{1002}"$/),
        },
      ]);
    }));

  it("that calls again before it has an answer, 20,000 times, is answered no more than it may", () =>
    expectUnharmed(async () => {
      await using agent = await openRawAgent(server.url, token);
      const stream = agent.yamux.open(0);
      const path = "/coder.agent.v2.Agent/GetManifest";
      const calls: Uint8Array[] = [];
      for (let id = 1; id <= 20_000; id += 1) calls.push(invocation(id, path));
      agent.yamux.write(stream, Buffer.concat(calls));
      agent.flush();
      // The others were canceled before their turn, or their responses were dropped.
      await agent.until((events) => events.some(({ type }) => type === "data"));
      const answers = agent.events.filter(({ type }) => type === "data").length;
      expect(answers).toBeLessThan(20);
      expect(await agent.call(Agent.method.getManifest, {})).toMatchObject({ type: "message" });
    }));

  it("that streams nine times at once is refused the ninth", () =>
    expectUnharmed(async () => {
      await using agent = await openRawAgent(server.url, token);
      const { streamDERPMaps } = Tailnet.method;
      const calls = Array.from({ length: 9 }, () => agent.call(streamDERPMaps, {}));
      expect(await Promise.all(calls)).toMatchObject([
        ...Array.from({ length: 8 }, () => ({ type: "message" })),
        { type: "error", message: "too many streaming calls at once" },
      ]);
    }));

  it("that puts 4 MiB of unknown fields into its startup gets none of them back", () =>
    expectUnharmed(async () => {
      await using agent = await openRawAgent(server.url, token);
      const known = encodeMessage(StartupSchema, { version: "v1.2.3" });
      // Field 1000, bytes.
      const unknown = Buffer.alloc(4 * 1024 * 1024 - 1024);
      const startup = Buffer.concat([
        known,
        Buffer.from([...varint((1000 << 3) | 2), ...varint(unknown.length)]),
        unknown,
      ]);
      const head = Buffer.from([0x0a, ...varint(startup.length)]);
      const { updateStartup } = Agent.method;
      const replies: RawReply[] = [];
      // More would exceed the agent's budget.
      for (let count = 0; count < 5; count += 1) {
        replies.push(await agent.callBytes(updateStartup, Buffer.concat([head, startup])));
      }
      for (const reply of replies) {
        expect(reply).toEqual({ type: "message", bytes: Buffer.from(known) });
      }
    }));

  it("that opens 300 sessions keeps the newest four", () =>
    expectUnharmed(async () => {
      await using agents = new AsyncDisposableStack();
      const closed: number[] = [];
      for (let number = 0; number < 300; number += 1) {
        const agent = agents.use(await openRawAgent(server.url, token));
        void agent.closed.then(() => closed.push(number));
      }
      await vi.waitFor(() => expect(closed).toHaveLength(296));
      expect(closed.every((number) => number < 296)).toBe(true);
    }));

  it("that sends message after message to a call that reads none is cut off", () =>
    expectUnharmed(async () => {
      await using agent = await openRawAgent(server.url, token);
      const caller = new DrpcCaller();
      const stream = agent.yamux.open(0);
      agent.yamux.write(stream, caller.invoke("/coder.tailnet.v2.Tailnet/StreamDERPMaps"));
      agent.yamux.write(stream, caller.message(new Uint8Array(0)));
      for (let at = 0; at < 50; at += 1) {
        agent.yamux.write(stream, caller.message(new Uint8Array(1024 * 1024)));
        agent.flush();
      }
      // All of it is consumed, and no part of it is stored.
      await agent.until(() => agent.yamux.queuedBytes(stream) === 0);
      expect(agent.yamux.queuedBytes(stream)).toBe(0);
    }));

  it("that sends requests that are none gets an error for each, and stays", () =>
    expectUnharmed(async () => {
      await using agent = await openRawAgent(server.url, token);
      for (const method of [...Agent.methods, ...Tailnet.methods]) {
        const caller = new DrpcCaller();
        const stream = agent.yamux.open(0);
        agent.yamux.write(stream, caller.invoke(`/${method.parent.typeName}/${method.name}`));
        agent.yamux.write(stream, caller.message(Uint8Array.of(0xff, 0xff)));
        agent.yamux.write(stream, caller.closeSend());
      }
      agent.flush();
      const count = Agent.methods.length + Tailnet.methods.length;
      const answered = (): number =>
        new Set(agent.events.flatMap((event) => (event.type === "data" ? [event.streamId] : [])))
          .size;
      await agent.until(() => answered() === count);
      expect(answered()).toBe(count);
      expect(agent.socket.readyState).toBe(agent.socket.OPEN);
    }));
});

describe("a follower", () => {
  it("that speaks is closed", () =>
    expectUnharmed(async () => {
      const socket = openSocket(follow(), client.headers);
      await once(socket, "open");
      socket.send("hello");
      expect(await closeCode(socket)).toBe(1008);
    }));

  it("may be one of 2,000 of the same user but not one more, and goes without a trace", () =>
    expectUnharmed(async () => {
      const sockets = Array.from({ length: 2_000 }, () => openSocket(follow(), client.headers));
      await Promise.all(sockets.map((socket) => once(socket, "open")));
      const closed = sockets.map(closeCode);
      await expect(once(openSocket(follow(), client.headers), "open")).rejects.toThrow("429");
      for (const socket of sockets) socket.close(1000);
      expect(new Set(await Promise.all(closed))).toEqual(new Set([1000]));
    }));

  it("without a key, of another version, or without a token is refused", async () => {
    const head = `GET /api/v2${follow()} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
    const own = `Coder-Session-Token: ${client.headers["Coder-Session-Token"] ?? ""}\r\n`;
    const version = "Sec-WebSocket-Version: 13\r\n";
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const answers = await Promise.all([
      statusOf(`${head}${own}${version}\r\n`),
      statusOf(`${head}${own}${version}Sec-WebSocket-Key: x\r\n\r\n`),
      statusOf(`${head}${own}Sec-WebSocket-Version: 99\r\n${key}\r\n`),
      statusOf(`${head}${version}${key}\r\n`),
    ]);
    expect(answers).toEqual([400, 400, 400, 401]);
  });
});

/** Encodes a number below 2^28 as protobuf and DRPC do. */
function varint(number: number): readonly number[] {
  return number < 0x80 ? [number] : [(number & 0x7f) | 0x80, ...varint(number >> 7)];
}

/** Encodes one RPC of a stream that has carried `id - 1` before. */
function invocation(id: number, path: string): Uint8Array {
  const data = Buffer.from(path);
  return Buffer.concat([
    Buffer.from([0x03, ...varint(id), 1, data.length]),
    data,
    Buffer.from([0x05, ...varint(id), 2, 0]),
    encodeMessage(Agent.method.getManifest.input, {}),
  ]);
}

/** Returns whether a yamux frame resets a stream. */
function isReset(bytes: Buffer, at: number): boolean {
  return bytes[at + 1] === 1 && bytes.readUInt16BE(at + 2) === 8;
}

async function statusOf(request: string): Promise<number> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.write(request);
  const [first] = await once(socket, "data");
  socket.destroy();
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(String(first))?.[1]);
}

/** Resolves to the close code of an agent's socket after a frame. */
async function closeCodeOfFrame(frame: readonly number[]): Promise<number> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `GET /api/v2/workspaceagents/me/rpc HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCoder-Session-Token: ${token}\r\n\r\n`,
  );
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await once(socket, "data");
  socket.write(Uint8Array.from(frame));
  await once(socket, "close");
  const answer = Buffer.concat(chunks);
  const at = answer.lastIndexOf(Buffer.from([0x88, 0x02]));
  return at === -1 ? 0 : answer.readUInt16BE(at + 2);
}
