import { once } from "node:events";
import { createServer } from "node:http";
import type { Duplex } from "node:stream";

import { Caller } from "@slipway/rpc";
import { createFakeClock, openLocalServer } from "@slipway/testkit";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { rpcSocketOf } from "./dial-socket.ts";

interface Ends {
  readonly connection: Caller;
  readonly server: WebSocket;
  /** The connection beneath the server's socket. */
  readonly tcp: Duplex;
}

/** Opens a session with a server that never responds. */
async function connect(): Promise<Ends> {
  const accepted = Promise.withResolvers<Omit<Ends, "connection">>();
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  http.on("upgrade", (request, tcp, head) => {
    sockets.handleUpgrade(request, tcp, head, (server) => accepted.resolve({ server, tcp }));
  });
  const listener = await openLocalServer(http);
  onTestFinished(() => listener[Symbol.asyncDispose]());
  const socket = new WebSocket(listener.url);
  await once(socket, "open");
  const connection = new Caller(rpcSocketOf(socket), {
    apiVersion: "2.10",
    clock: createFakeClock(0),
  });
  onTestFinished(() => connection.close());
  return { connection, ...(await accepted.promise) };
}

describe("rpcSocketOf", () => {
  it("says how the connection was lost", async () => {
    const { connection, server } = await connect();
    server.terminate();
    expect(await connection.closed).toBe("socket closed with 1006");
  });

  it("says why the server closed the session", async () => {
    const { connection, server } = await connect();
    server.close(1011, "build is outdated");
    expect(await connection.closed).toBe("socket closed with 1011 build is outdated");
  });

  it("says what is wrong with the bytes of the server", async () => {
    const { connection, tcp } = await connect();
    tcp.write(Buffer.from([0xff, 0xff]));
    expect(await connection.closed).toContain("Invalid WebSocket frame");
  });

  it("closes once, however often it is asked", async () => {
    const { connection, server } = await connect();
    const gone = once(server, "close");
    await Promise.all([connection.close(), connection.close()]);
    await connection.close();
    expect((await gone)[0]).toBe(1000);
    expect(await connection.closed).toBe("closed by this side");
    const { signal } = new AbortController();
    await expect(connection.unary(Agent.method.getManifest, {}, signal)).rejects.toMatchObject({
      name: "SessionClosedError",
    });
  });

  it("leaves no timer once the server has answered its close", async () => {
    const { connection } = await connect();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    await connection.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("cuts a server off that answers no close", async () => {
    const { connection, server } = await connect();
    server.pause();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const closed = connection.close();
    vi.advanceTimersByTime(2_000);
    await closed;
    expect(await connection.closed).toBe("closed by this side");
  });
});
