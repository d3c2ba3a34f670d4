import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

import { systemClock } from "@slipway/runtime";
import { NetworkStack } from "@slipway/tailnet/stack/network-stack";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import { DescriptorBudget } from "../connections/descriptors.ts";
import { createTcpForwarder } from "./tcp-forwarder.ts";
import { createUdpForwarder } from "./udp-forwarder.ts";

const never = new AbortController().signal;
const ours = Uint8Array.from({ length: 16 }, (_, index) => (index === 0 ? 0xfd : index));
const theirs = Uint8Array.from({ length: 16 }, (_, index) => (index === 0 ? 0xfd : index + 1));

interface Pair {
  /** The agent's stack, which forwards. */
  readonly agent: NetworkStack;
  readonly peer: NetworkStack;
  readonly stop: () => void;
}

/** Opens two stacks, each of which sends to the other. */
function openPair(): Pair {
  let seed = 1;
  const open = (address: Uint8Array, other: () => NetworkStack): NetworkStack => {
    const stack = new NetworkStack({
      addresses: [address],
      clock: systemClock,
      randomUint32: () => (seed = (seed * 1_664_525 + 1_013_904_223) >>> 0),
      send: (packets) => {
        const copies = packets.map((packet) => packet.slice());
        setImmediate(() => other().receive(copies));
      },
    });
    onTestFinished(() => stack.close());
    return stack;
  };
  const agent: NetworkStack = open(ours, () => peer);
  const peer: NetworkStack = open(theirs, () => agent);
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const { signal } = stopping;
  const budget = new DescriptorBudget(20_000);
  agent.forwardTcp(createTcpForwarder(signal, budget.share()));
  agent.forwardUdp(
    createUdpForwarder({
      send: (from, to, bytes) => agent.sendUdp(from, to, bytes),
      signal,
      descriptors: budget.share(),
    }),
  );
  return { agent, peer, stop: () => stopping.abort() };
}

async function listen(host: string, onSocket: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    // A stack that is closed at the end of its test resets its connections.
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  onTestFinished(() => void server.close());
  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
}

describe("the TCP forwarder", () => {
  it.each(["127.0.0.1", "::1"])("connects to a port of %s, both ways", async (host) => {
    const { peer } = openPair();
    const port = await listen(host, (socket) => void socket.pipe(socket));
    const stream = await peer.connect({ address: ours, port }, { signal: never });
    const sent = new Uint8Array(1_000_000).fill(7);
    const writing = stream.write(sent, never).then(() => stream.finish());
    let received = 0;
    for (;;) {
      const bytes = await stream.read(never);
      if (bytes === undefined) break;
      received += bytes.length;
    }
    await writing;
    expect(received).toBe(sent.length);
  });

  it("refuses the handshake to a port without a listener", async () => {
    const { peer } = openPair();
    const port = await listen("127.0.0.1", () => undefined);
    const free = port === 65_535 ? port - 1 : port + 1;
    await expect(peer.connect({ address: ours, port: free }, { signal: never })).rejects.toThrow(
      expect.objectContaining({ code: "refused" }),
    );
  });

  it("passes a reset on, from either side", async () => {
    const { peer } = openPair();
    const accepted = Promise.withResolvers<Socket>();
    const port = await listen("127.0.0.1", accepted.resolve);
    const first = await peer.connect({ address: ours, port }, { signal: never });
    (await accepted.promise).resetAndDestroy();
    await expect(first.read(never)).rejects.toThrow(expect.objectContaining({ code: "reset" }));

    const again = Promise.withResolvers<Socket>();
    const other = await listen("127.0.0.1", again.resolve);
    const second = await peer.connect({ address: ours, port: other }, { signal: never });
    const socket = await again.promise;
    second.abort();
    await expect(once(socket, "data")).rejects.toThrow("ECONNRESET");
  });

  it("closes the connection to a silent port when its peer resets, after the peer's end too", async () => {
    const { peer } = openPair();
    const accepted = Promise.withResolvers<Socket>();
    const port = await listen("127.0.0.1", accepted.resolve);
    const stream = await peer.connect({ address: ours, port }, { signal: never });
    const socket = (await accepted.promise).resume();
    stream.finish();
    await once(socket, "end");
    const open = openSockets();
    stream.abort();
    await expect.poll(openSockets).toBe(open - 1);
  });

  it("waits for a peer that does not read", async () => {
    const { peer } = openPair();
    const accepted = Promise.withResolvers<Socket>();
    const port = await listen("127.0.0.1", accepted.resolve);
    const stream = await peer.connect({ address: ours, port }, { signal: never });
    const socket = await accepted.promise;
    const all = 64 * 1024 * 1024;
    socket.end(Buffer.alloc(all));
    await stream.read(never);
    await expect.poll(() => socket.writableLength).toBeGreaterThan(0);
    expect(socket.bytesWritten).toBe(all);
    let left = all;
    for (let bytes = await stream.read(never); bytes !== undefined;) {
      left -= bytes.length;
      bytes = await stream.read(never);
    }
    expect(left).toBeGreaterThan(0);
  });

  it("ends everything when the agent shuts down", async () => {
    const { peer, stop } = openPair();
    const port = await listen("127.0.0.1", () => undefined);
    const stream = await peer.connect({ address: ours, port }, { signal: never });
    stop();
    await expect(stream.read(never)).rejects.toThrow(expect.objectContaining({ code: "reset" }));
  });
});

describe("the UDP forwarder", () => {
  it("carries datagrams to a port of the workspace, and the answers", async () => {
    const { peer } = openPair();
    const server = createSocket("udp4");
    onTestFinished(() => void server.close());
    server.on("message", (payload, { port, address }) =>
      server.send(`echo ${payload.toString()}`, port, address),
    );
    server.bind(0, "127.0.0.1");
    await once(server, "listening");
    const socket = peer.bindUdp();
    const to = { address: ours, port: server.address().port };
    const answers: string[] = [];
    for (const text of ["one", "two"]) socket.send(to, Buffer.from(text));
    for await (const { payload, from } of socket) {
      expect(from.port).toBe(to.port);
      answers.push(Buffer.from(payload).toString());
      if (answers.length === 2) break;
    }
    expect(answers).toEqual(["echo one", "echo two"]);
  });

  it("takes a descriptor for each flow, and gives it back after two minutes of silence", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const descriptors = new DescriptorBudget(8).share();
    const stopping = new AbortController();
    onTestFinished(() => stopping.abort());
    const { signal } = stopping;
    const forward = createUdpForwarder({ send: () => undefined, signal, descriptors });
    const send = (from: number): void =>
      forward({
        from: { address: theirs, port: from },
        to: { address: ours, port: 4_000 },
        payload: Uint8Array.of(1),
      });
    send(1);
    send(2);
    expect(vi.getTimerCount()).toBe(1);
    expect(descriptors.take(1)).toBeUndefined();
    vi.advanceTimersByTime(120_000);
    send(2);
    expect(vi.getTimerCount()).toBe(1);
    expect(descriptors.take(1)).toBeUndefined();
    stopping.abort();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("drops datagrams to a port that nobody has bound, and goes on", async () => {
    const { peer } = openPair();
    const server = createSocket("udp4");
    server.bind(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address();
    server.close();
    await once(server, "close");
    const socket = peer.bindUdp();
    socket.send({ address: ours, port }, Buffer.from("nobody"));
    const again = createSocket("udp4");
    onTestFinished(() => void again.close());
    again.bind(port, "127.0.0.1");
    await once(again, "listening");
    const arrived = once(again, "message");
    const timer = setInterval(() => socket.send({ address: ours, port }, Buffer.from("x")), 10);
    onTestFinished(() => clearInterval(timer));
    expect(String((await arrived)[0])).toMatch(/x|nobody/);
  });
});
