import { once } from "node:events";
import { link, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";

import { RpcError } from "@slipway/rpc";
import { silentLogger } from "@slipway/runtime";
import { AgentSocketClient } from "@slipway/sdk/inside";
import { DrpcCaller } from "@slipway/wire/drpc/caller";
import { rpcPath } from "@slipway/wire/protobuf/descriptors";
import { AgentSocket } from "@slipway/wire/protobuf/gen/agent-socket_pb";
import type { UpdateAppStatusRequest } from "@slipway/wire/protobuf/gen/agent_pb";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { AgentSocketServer, maxSocketConnections } from "./agent-socket.ts";
import { connectionLimits } from "./socket-connection.ts";
import { unitLimits, Units } from "./units.ts";

const limit = (): AbortSignal => AbortSignal.timeout(20_000);

let folder = "";
let path = "";
let statuses: UpdateAppStatusRequest[] = [];
let refusal: RpcError | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-socket-"));
  path = join(folder, "run", "agent.sock");
  [statuses, refusal] = [[], undefined];
});
afterEach(() => rm(folder, { recursive: true }));

/** Opens the agent's socket for the duration of the test. */
async function open(): Promise<AgentSocketServer> {
  const updateAppStatus = async (status: UpdateAppStatusRequest): Promise<void> => {
    if (refusal !== undefined) throw refusal;
    statuses.push(status);
  };
  const state = { units: new Units(), updateAppStatus };
  const server = await AgentSocketServer.open({ path, state, logger: silentLogger });
  onTestFinished(() => server.close());
  return server;
}

async function connectClient(): Promise<AgentSocketClient> {
  const client = await AgentSocketClient.connect(path, limit());
  onTestFinished(() => client[Symbol.dispose]());
  return client;
}

async function connectRaw(): Promise<Socket> {
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

describe("the file", () => {
  it("is for its user alone, and gone with the agent", async () => {
    const server = await open();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "run"))).mode & 0o777).toBe(0o700);
    await server.close();
    expect(await readdir(join(folder, "run"))).toEqual([]);
  });

  it("takes the place of a dead agent's", async () => {
    await mkdir(join(folder, "run"));
    const dead = createServer().listen(path);
    await once(dead, "listening");
    // A listener that closes removes its file: another hard link keeps it.
    await link(path, `${path}.old`);
    dead.close();
    await once(dead, "close");
    await rename(`${path}.old`, path);
    await open();
    await (await connectClient()).ping(limit());
  });

  it("is left to an agent that lives, and to what is no socket", async () => {
    await open();
    await expect(open()).rejects.toMatchObject({ code: "in-use" });
    await (await connectClient()).ping(limit());
    path = join(folder, "text");
    await writeFile(path, "mine");
    await expect(open()).rejects.toMatchObject({ code: "not-a-socket" });
    expect((await stat(path)).size).toBe(4);
  });

  it("of a later agent survives the end of an earlier one", async () => {
    const first = await open();
    await rm(path);
    await open();
    await first.close();
    await (await connectClient()).ping(limit());
  });
});

describe("a program", () => {
  it("lets units wait for each other", async () => {
    await open();
    const [one, other] = [await connectClient(), await connectClient()];
    await one.want("app", "database", limit());
    expect(await other.status("app", limit())).toEqual({
      unit: "app",
      status: "pending",
      isReady: false,
      dependencies: [
        expect.objectContaining({
          dependsOn: "database",
          requiredStatus: "completed",
          currentStatus: "",
          isSatisfied: false,
        }),
      ],
    });
    await expect(one.start("app", limit())).rejects.toMatchObject({ code: "refused" });
    await other.start("database", limit());
    await other.complete("database", limit());
    await one.start("app", limit());
    expect(await other.list(limit())).toMatchObject([
      { unit: "app", status: "started", isReady: true },
      { unit: "database", status: "completed", isReady: true },
    ]);
  });

  it("is told why a call is refused, and goes on", async () => {
    await open();
    const client = await connectClient();
    await expect(client.want("a", "a", limit())).rejects.toThrow("cycle detected");
    await expect(client.complete("a", limit())).rejects.toThrow("unit not found");
    await expect(client.start("", limit())).rejects.toThrow("unit name is required");
    await client.start("a", limit());
    await client.complete("a", limit());
    await expect(client.complete("a", limit())).rejects.toThrow("already completed");
  });

  it("lists as many units as there may be", async () => {
    await open();
    const client = await connectClient();
    for (let unit = 1; unit < unitLimits.maxUnits; unit += 1) {
      await client.want(`unit ${unit}`, `unit ${unit - 1}`, limit());
    }
    expect(await client.list(limit())).toHaveLength(unitLimits.maxUnits - 1);
    await client.start("unit 0", limit());
    await expect(client.start("too many", limit())).rejects.toThrow("at most");
  });

  it("reports the status of an app through the agent, or learns that it is offline", async () => {
    await open();
    const socket = await connectRaw();
    const caller = new DrpcCaller();
    const call = async () => {
      socket.write(caller.invoke(rpcPath(AgentSocket.method.updateAppStatus)));
      socket.write(caller.message(Buffer.from("\n\u0003web\u0010\u0002")));
      const [chunk] = await once(socket, "data");
      return caller.receive(chunk)[0];
    };
    expect(await call()).toMatchObject({ type: "message" });
    expect(statuses).toMatchObject([{ slug: "web", state: 2 }]);
    refusal = new RpcError("agent not connected to the server");
    socket.write(caller.close());
    expect(await call()).toMatchObject({ type: "error", message: refusal.message });
  });
});

describe("a hostile program", () => {
  it("gets code 12 for calls that the agent does not have", async () => {
    await open();
    const socket = await connectRaw();
    const caller = new DrpcCaller();
    for (const name of ["ContextSources", "Ping/../x", "x".repeat(10_000)]) {
      socket.write(caller.invoke(`/coder.agentsocket.v1.AgentSocket/${name}`));
      const [chunk] = await once(socket, "data");
      expect(caller.receive(chunk)).toMatchObject([{ type: "error", code: 12 }]);
    }
  });

  it.each([
    ["what is no DRPC", Buffer.alloc(4_000, 0xff)],
    ["a request without an end", endlessRequest()],
  ])("is cut off that sends %s, and others go on", async (_what, bytes) => {
    await open();
    const client = await connectClient();
    const socket = await connectRaw();
    socket.resume();
    socket.write(bytes);
    await expect.poll(() => socket.destroyed).toBe(true);
    await expect(client.ping(limit())).resolves.toBeUndefined();
  });

  it("cannot keep others out with connections that say nothing", async () => {
    await open();
    const silent = await connectRaw();
    silent.resume();
    const client = await connectClient();
    const others: Socket[] = [];
    for (let count = 0; count < maxSocketConnections * 2; count += 1) {
      others.push((await connectRaw()).resume());
      if (count % 50 === 0) await client.ping(limit());
    }
    // The newest connections remain, and the one that is in use.
    const areOpen = () => others.map(({ destroyed }) => !destroyed);
    const newest = others.map((_, index) => index > maxSocketConnections);
    await expect.poll(areOpen).toEqual(newest);
    expect(silent.destroyed).toBe(true);
    await expect(client.ping(limit())).resolves.toBeUndefined();
  });

  it("that does not read is not answered without end", async () => {
    await open();
    const filler = await connectClient();
    for (let unit = 0; unit < 500; unit += 1) {
      await filler.start(`${unit}`.padEnd(unitLimits.maxNameBytes), limit());
    }
    const socket = await connectRaw();
    const caller = new DrpcCaller();
    const request = (): Uint8Array => {
      const call = caller.invoke(rpcPath(AgentSocket.method.syncList));
      const bytes = Buffer.concat([call, caller.message(new Uint8Array())]);
      // Forgets the call without telling the agent.
      caller.close();
      return bytes;
    };
    // More than fits into the buffers of the system and of the socket.
    const isHeldUp = async (): Promise<boolean> => {
      for (let count = 0; count < 6_000; count += 1) {
        // One at a time, because an immediate next call cancels the previous one.
        if (!socket.write(request()) && (await isStuck(socket))) return true;
        await turn();
      }
      return false;
    };
    expect(await isHeldUp()).toBe(true);
    await expect(filler.ping(limit())).resolves.toBeUndefined();
  });
});

/** Returns whether the agent stops reading what was written, for many turns. */
async function isStuck(socket: Socket): Promise<boolean> {
  const before = socket.writableLength;
  for (let round = 0; round < 2_000 && socket.writableLength === before; round += 1) await turn();
  return socket.writableLength === before;
}

/** A call whose message never ends: parts of a packet, each of the maximum frame length. */
function endlessRequest(): Buffer {
  const caller = new DrpcCaller();
  const invoke = caller.invoke(rpcPath(AgentSocket.method.ping));
  const message = caller.message(new Uint8Array(connectionLimits.maxRequestBytes * 2));
  return Buffer.concat([invoke, message.subarray(0, -1)]);
}
