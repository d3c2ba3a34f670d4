import { once } from "node:events";
import { createServer } from "node:http";

import { createFakeClock, openLocalServer } from "@slipway/testkit";
import { DrpcResponder } from "@slipway/wire/drpc/responder";
import type { ResponderEvent } from "@slipway/wire/drpc/responder";
import { drpcCodeUnimplemented } from "@slipway/wire/drpc/rpc-error";
import { rpcPath } from "@slipway/wire/protobuf/descriptors";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { encodeMessage, parseMessage } from "@slipway/wire/protobuf/message";
import { YamuxSession } from "@slipway/wire/yamux/session";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { lend } from "../tests/support/web-socket.ts";
import { CallerStream } from "./caller-stream.ts";
import { Caller } from "./caller.ts";

/** The server's response to one call. */
interface ServedCall {
  write(bytes: (responder: DrpcResponder) => Uint8Array): void;
  reset(): void;
}

type Serve = (event: ResponderEvent, call: ServedCall) => void;

interface Peer {
  readonly connection: Caller;
  readonly socket: WebSocket;
}

/** Opens a session with a server built from the parts of `wire`, whose calls `serve` answers. */
async function connect(serve: Serve): Promise<Peer> {
  const accepted = Promise.withResolvers<WebSocket>();
  const http = createServer();
  new WebSocketServer({ server: http }).on("connection", (socket) => {
    serveSession(socket, serve);
    accepted.resolve(socket);
  });
  const server = await openLocalServer(http);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const socket = new WebSocket(server.url);
  await once(socket, "open");
  const connection = new Caller(lend(socket), { apiVersion: "2.10", clock: createFakeClock(0) });
  onTestFinished(() => connection.close());
  return { connection, socket: await accepted.promise };
}

function serveSession(socket: WebSocket, serve: Serve): void {
  const yamux = new YamuxSession("server");
  const calls = new Map<number, { call: ServedCall; responder: DrpcResponder }>();
  const flush = (): void => {
    const output = yamux.takeOutput();
    if (output !== undefined) socket.send(output);
  };
  const open = (streamId: number): void => {
    const responder = new DrpcResponder();
    const call: ServedCall = {
      write: (bytes) => {
        yamux.write(streamId, bytes(responder));
        flush();
      },
      reset: () => {
        yamux.reset(streamId);
        calls.delete(streamId);
        flush();
      },
    };
    calls.set(streamId, { call, responder });
  };
  socket.on("message", (data: Buffer) => {
    for (const event of yamux.receive(new Uint8Array(data), 0)) {
      if (event.type === "opened") open(event.streamId);
      if (event.type === "finished") yamux.finish(event.streamId);
      const served = "streamId" in event ? calls.get(event.streamId) : undefined;
      if (event.type !== "data" || served === undefined) continue;
      yamux.consume(event.streamId, event.bytes.length);
      for (const call of served.responder.receive(event.bytes)) {
        if (calls.has(event.streamId)) serve(call, served.call);
      }
    }
    flush();
  });
}

const never = new AbortController().signal;
const noRequests = (async function* () {})();

describe("Caller", () => {
  it("answers any number of calls at once, each its own", async () => {
    const { input, output } = Agent.method.updateStartup;
    const { connection } = await connect((event, call) => {
      if (event.type !== "message") return;
      const { startup } = parseMessage(input, event.bytes);
      const answer = encodeMessage(output, { version: `${startup?.version}!` });
      call.write((responder) => responder.message(answer));
      call.write((responder) => responder.closeSend());
    });
    const versions = Array.from({ length: 50 }, (_, index) => `v${index}`);
    const answers = await Promise.all(
      versions.map((version) =>
        connection.unary(Agent.method.updateStartup, { startup: { version } }, never),
      ),
    );
    expect(answers.map((answer) => answer.version)).toEqual(
      versions.map((version) => `${version}!`),
    );
  });

  it("names the method and sends nothing after its request", async () => {
    const events: ResponderEvent[] = [];
    const { connection } = await connect((event, call) => {
      events.push(event);
      if (event.type === "close-send") call.write((one) => one.message(new Uint8Array()));
    });
    await connection.unary(Agent.method.getManifest, {}, never);
    expect(events.map(({ type }) => type).slice(0, 3)).toEqual(["invoke", "message", "close-send"]);
    expect(events[0]).toMatchObject({ path: rpcPath(Agent.method.getManifest) });
  });

  it("rejects with the code and the text of an error answer", async () => {
    const { connection } = await connect((event, call) => {
      if (event.type === "invoke") call.write((one) => one.error(drpcCodeUnimplemented, "unknown"));
    });
    await expect(connection.unary(Agent.method.getManifest, {}, never)).rejects.toMatchObject({
      name: "RpcError",
      rpcCode: drpcCodeUnimplemented,
      message: "unknown",
    });
  });

  it("reads a stream of messages to its end", async () => {
    const { output } = Tailnet.method.streamDERPMaps;
    const { connection } = await connect((event, call) => {
      if (event.type !== "close-send") return;
      for (const regionName of ["a", "b"]) {
        const map = { regions: { 1: { regionName } } };
        call.write((one) => one.message(encodeMessage(output, map)));
      }
      call.write((one) => one.close());
    });
    const maps = await Array.fromAsync(
      connection.serverStream(Tailnet.method.streamDERPMaps, {}, never),
    );
    expect(maps.map((map) => map.regions[1]?.regionName)).toEqual(["a", "b"]);
  });

  it("sends and receives at the same time in a duplex call", async () => {
    const { input, output } = Tailnet.method.coordinate;
    const { connection } = await connect((event, call) => {
      if (event.type === "message") {
        const { addTunnel } = parseMessage(input, event.bytes);
        const answer = { error: `heard ${addTunnel?.id.join(".")}` };
        call.write((one) => one.message(encodeMessage(output, answer)));
      }
      if (event.type === "close-send") call.write((one) => one.close());
    });
    const heard: string[] = [];
    const isFirstHeard = Promise.withResolvers<void>();
    const requests = (async function* () {
      yield { addTunnel: { id: Uint8Array.of(1) } };
      await isFirstHeard.promise;
      yield { addTunnel: { id: Uint8Array.of(2) } };
    })();
    for await (const answer of connection.duplex(Tailnet.method.coordinate, requests, never)) {
      heard.push(answer.error);
      isFirstHeard.resolve();
    }
    expect(heard).toEqual(["heard 1", "heard 2"]);
  });

  it("ends a duplex call whose requests break", async () => {
    const { connection } = await connect(() => undefined);
    const broken = (async function* () {
      yield {};
      throw new Error("no more requests");
    })();
    const answers = connection.duplex(Tailnet.method.coordinate, broken, never);
    await expect(Array.fromAsync(answers)).rejects.toThrow("no more requests");
  });

  it("ends a wait with the reason of the signal, and goes on with other calls", async () => {
    let count = 0;
    const { connection } = await connect((event, call) => {
      if (event.type !== "close-send") return;
      count += 1;
      if (count > 2) call.write((one) => one.message(new Uint8Array()));
    });
    const controller = new AbortController();
    const { signal } = controller;
    const unary = connection.unary(Agent.method.getManifest, {}, signal);
    const stream = Array.fromAsync(
      connection.serverStream(Tailnet.method.streamDERPMaps, {}, signal),
    );
    const outcomes = Promise.allSettled([unary, stream]);
    controller.abort(new Error("enough"));
    const reasons = (await outcomes).map((outcome) => "reason" in outcome && outcome.reason);
    expect(reasons).toEqual([signal.reason, signal.reason]);
    await connection.unary(Agent.method.getManifest, {}, never);
  });

  it("fails only the call whose stream is cut off", async () => {
    const { connection } = await connect((event, call) => {
      if (event.type === "invoke" && event.path === rpcPath(Agent.method.updateStats)) call.reset();
      if (event.type === "close-send") call.write((one) => one.message(new Uint8Array()));
    });
    const cut = connection.unary(Agent.method.updateStats, {}, never);
    await expect(cut).rejects.toMatchObject({ name: "SessionClosedError" });
    await connection.unary(Agent.method.getManifest, {}, never);
  });

  it("keeps no stream of a call that has ended", async () => {
    const fail = vi.spyOn(CallerStream.prototype, "fail");
    onTestFinished(() => fail.mockRestore());
    const { connection } = await connect((event, call) => {
      if (event.type === "close-send") call.write((one) => one.message(new Uint8Array()));
    });
    for (let count = 0; count < 20; count += 1) {
      await connection.unary(Agent.method.getManifest, {}, never);
    }
    fail.mockClear();
    await connection.close();
    // The ends of the last calls may still be on their way.
    expect(fail.mock.calls.length).toBeLessThan(5);
  });

  it("rejects every call that waits when the socket breaks, and those that come after", async () => {
    const { connection, socket } = await connect(() => undefined);
    const calls = [
      connection.unary(Agent.method.getManifest, {}, never),
      Array.fromAsync(connection.serverStream(Tailnet.method.streamDERPMaps, {}, never)),
      Array.fromAsync(connection.duplex(Tailnet.method.coordinate, noRequests, never)),
    ];
    const outcomes = Promise.allSettled(calls);
    socket.terminate();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ reason: { name: "SessionClosedError" } });
    }
    expect(await connection.closed).toBe("socket closed with 1006");
    await expect(connection.unary(Agent.method.getManifest, {}, never)).rejects.toMatchObject({
      name: "SessionClosedError",
    });
  });

  it.each([
    ["a text message", "hello", "the server sent a text message"],
    ["bytes that are no yamux", Buffer.alloc(12, 0xff), "yamux version 255, wanted 0"],
  ])("ends the session at %s", async (_what, data, reason) => {
    const { connection, socket } = await connect(() => undefined);
    socket.send(data);
    expect(await connection.closed).toContain(reason);
  });

  it("closes once, however often it is asked", async () => {
    const { connection, socket } = await connect(() => undefined);
    const gone = new Promise((resolve) => {
      socket.once("close", resolve);
    });
    await Promise.all([connection.close(), connection.close()]);
    await connection.close();
    expect(await gone).toBe(1000);
    expect(await connection.closed).toBe("closed by this side");
  });
});
