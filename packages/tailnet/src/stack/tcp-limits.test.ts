import { createFakeClock } from "@slipway/testkit";
import {
  IpProtocol,
  ipv6HeaderBytes,
  parseIpv6,
  writeIpv6Header,
  pseudoHeaderSum,
} from "@slipway/wire/ip/ipv6";
import { TcpConnection } from "@slipway/wire/tcp/connection";
import { parseSegment, TcpFlag } from "@slipway/wire/tcp/segment";
import { afterEach, expect, it } from "vitest";

import { NetworkStack, type StackOptions } from "./network-stack.ts";
import type { TcpStream } from "./tcp-stream.ts";

const ours = addressOf(1);
const clock = createFakeClock();
const opened: NetworkStack[] = [];

afterEach(async () => {
  for (const stack of opened.splice(0)) await stack.close();
});

function addressOf(host: number): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? 0xfd : at === 15 ? host : 0));
}

function open(options: Partial<StackOptions>) {
  const sent: Uint8Array[] = [];
  const stack = new NetworkStack({
    addresses: [ours],
    clock,
    randomUint32: () => 7,
    send: (packets) => void sent.push(...packets.map((packet) => packet.slice())),
    ...options,
  });
  opened.push(stack);
  return { stack, sent };
}

/** The connection of a peer to port 80, and its packets. */
class Caller {
  readonly connection: TcpConnection;
  readonly port: number;
  readonly #address: Uint8Array;

  constructor(host: number, port: number) {
    this.port = port;
    this.#address = addressOf(host);
    const flow = {
      localPort: port,
      remotePort: 80,
      addressSum: pseudoHeaderSum(this.#address, ours, IpProtocol.tcp),
      initialSequence: port * 1000,
      timestampOffset: 0,
      maxSegmentBytes: 1220,
    };
    this.connection = TcpConnection.connect(flow, {}, clock.now());
  }

  packets(): readonly Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (;;) {
      const bytes = new Uint8Array(1280);
      const length = this.connection.writeSegment(bytes, ipv6HeaderBytes, clock.now());
      if (length === 0) return packets;
      const header = { source: this.#address, destination: ours, nextHeader: IpProtocol.tcp };
      writeIpv6Header(bytes, 0, header, length);
      packets.push(bytes.subarray(0, ipv6HeaderBytes + length));
    }
  }

  /** Takes the packets that belong to it, and returns their number. */
  receive(packets: readonly Uint8Array[]): number {
    let count = 0;
    for (const bytes of packets) {
      const packet = parseIpv6(bytes);
      const segment = packet && parseSegment(bytes, packet.payloadStart, packet.payloadEnd);
      const isMine =
        segment?.destinationPort === this.port && packet?.destination[15] === this.#address[15];
      if (segment === undefined || !isMine) continue;
      count += 1;
      this.connection.receive(segment, clock.now());
    }
    return count;
  }
}

async function turn(): Promise<void> {
  await clock.advance(0);
}

it("holds no more half-open connections than the backlog, and lets other peers in", async () => {
  const { stack, sent } = open({ limits: { backlog: 100 } });
  const listener = stack.listen(80);
  for (let port = 1; port <= 20_000; port += 1) stack.receive(new Caller(2, port).packets());
  await turn();
  expect(stack.connections).toBe(100);
  expect(listener.waiting).toBe(100);
  sent.length = 0;
  const other = new Caller(3, 1);
  stack.receive(other.packets());
  await turn();
  expect(other.receive(sent)).toBe(1);
  stack.receive(other.packets());
  await turn();
  expect(other.connection.state).toBe("established");
  for await (const stream of listener) {
    expect(stream.remote).toEqual({ address: addressOf(3), port: 1 });
    break;
  }
});

it("forgets half-open connections after half a minute", async () => {
  const { stack } = open({});
  stack.listen(80);
  for (let port = 1; port <= 50; port += 1) stack.receive(new Caller(2, port).packets());
  await turn();
  expect(stack.connections).toBe(50);
  await clock.advance(31_000);
  expect(stack.connections).toBe(0);
});

it("takes no connection beyond the limit, nor opens one", async () => {
  const { stack, sent } = open({ limits: { maxConnections: 10 } });
  stack.listen(80);
  for (let port = 1; port <= 20; port += 1) stack.receive(new Caller(2, port).packets());
  await turn();
  expect(stack.connections).toBe(10);
  expect(sent).toHaveLength(10);
  const remote = { address: addressOf(2), port: 1 };
  const { signal } = new AbortController();
  await expect(stack.connect(remote, { signal })).rejects.toMatchObject({
    code: "too-many-connections",
  });
});

it("takes no more connections of one peer than its share", async () => {
  const { stack, sent } = open({ limits: { maxConnectionsPerPeer: 5 } });
  stack.listen(80);
  for (let port = 1; port <= 10; port += 1) stack.receive(new Caller(2, port).packets());
  await turn();
  expect(sent.splice(0)).toHaveLength(5);
  stack.receive(new Caller(3, 1).packets());
  await turn();
  expect(sent).toHaveLength(1);
});

it("answers no SYN while as many wait as nobody has taken", async () => {
  const { stack, sent } = open({ limits: { backlog: 3 } });
  stack.listen(80);
  for (let port = 1; port <= 5; port += 1) {
    const caller = new Caller(2, port);
    stack.receive(caller.packets());
    await turn();
    caller.receive(sent.splice(0));
    stack.receive(caller.packets());
    await turn();
    expect(caller.connection.state).toBe(port <= 3 ? "established" : "syn-sent");
  }
});

it("asks about no more SYNs at once than the limit, and once about each", async () => {
  const { stack } = open({ limits: { maxRequests: 5 } });
  let asked = 0;
  stack.forwardTcp(() => {
    asked += 1;
  });
  for (let port = 1; port <= 20; port += 1) {
    const packets = new Caller(2, port).packets();
    stack.receive([...packets, ...packets]);
  }
  await turn();
  expect(asked).toBe(5);
  expect(stack.connections).toBe(0);
});

it("keeps no more ended connections than the limit", async () => {
  const { stack, sent } = open({ limits: { maxTimeWait: 5 } });
  const listener = stack.listen(80);
  const callers: Caller[] = [];
  for (let port = 1; port <= 8; port += 1) {
    const caller = new Caller(2, port);
    callers.push(caller);
    stack.receive(caller.packets());
    await turn();
    caller.receive(sent.splice(0));
    stack.receive(caller.packets());
    for await (const stream of listener) {
      stream.close();
      break;
    }
    await turn();
    caller.receive(sent.splice(0));
    caller.connection.finish(clock.now());
    stack.receive(caller.packets());
    await turn();
    caller.receive(sent.splice(0));
    expect(caller.connection.state).toBe("closed");
  }
  expect(stack.connections).toBe(0);
  // A segment to a forgotten connection is answered with a RST.
  const late = callers.map((caller) => {
    const bytes = new Uint8Array(60);
    writeIpv6Header(bytes, 0, { source: addressOf(2), destination: ours, nextHeader: 6 }, 20);
    bytes.set([caller.port >>> 8, caller.port & 255, 0, 80], 40);
    bytes.set([0x50, TcpFlag.ack], 52);
    return bytes;
  });
  stack.receive(late);
  await turn();
  const resets = sent.filter((bytes) => ((bytes[53] ?? 0) & TcpFlag.rst) !== 0);
  expect(resets).toHaveLength(3);
});

/** Ends a caller's connection, first here and then there, so that it waits for old segments here. */
async function endOne(
  stack: NetworkStack,
  sent: Uint8Array[],
  caller: Caller,
  streams: AsyncIterable<TcpStream>,
): Promise<TcpStream> {
  stack.receive(caller.packets());
  await turn();
  caller.receive(sent.splice(0));
  stack.receive(caller.packets());
  await turn();
  for await (const stream of streams) {
    stream.finish();
    await turn();
    caller.receive(sent.splice(0));
    caller.connection.finish(clock.now());
    stack.receive(caller.packets());
    await turn();
    caller.receive(sent.splice(0));
    expect(caller.connection.state).toBe("closed");
    return stream;
  }
  throw new Error("nobody came");
}

it("does not count connections that have ended for a peer's share", async () => {
  const { stack, sent } = open({ limits: { maxConnectionsPerPeer: 5 } });
  const listener = stack.listen(80);
  for (let port = 1; port <= 20; port += 1) {
    await endOne(stack, sent, new Caller(2, port), listener);
  }
  expect(stack.connections).toBe(0);
});

it("forgets an ended connection for good when a new one takes its place", async () => {
  const { stack, sent } = open({});
  const listener = stack.listen(80);
  const stream = await endOne(stack, sent, new Caller(2, 1), listener);
  // The timestamps of the new one continue those of the old one.
  await clock.advance(1000);
  const again = new Caller(2, 1);
  stack.receive(again.packets());
  stream.close();
  stream.setKeepAlive(undefined);
  await turn();
  expect(stack.connections).toBe(1);
  expect(again.receive(sent.splice(0))).toBe(1);
  stream.abort();
  await turn();
  expect(sent).toEqual([]);
  expect(stack.connections).toBe(1);
});

it("holds what a peer sends for connections that nobody reads within their buffers", async () => {
  const { stack, sent } = open({ tcp: { maxReceiveBytes: 20_000 } });
  const listener = stack.listen(80);
  const caller = new Caller(2, 1);
  stack.receive(caller.packets());
  await turn();
  caller.receive(sent.splice(0));
  caller.connection.write(new Uint8Array(200_000), clock.now());
  for (let step = 0; step < 100; step += 1) {
    stack.receive(caller.packets());
    await clock.advance(1);
    caller.connection.tick(clock.now());
    caller.receive(sent.splice(0));
  }
  // The rest waits at the peer.
  expect(caller.connection.queuedBytes).toBeGreaterThanOrEqual(180_000);
  for await (const stream of listener) {
    expect((await stream.read(new AbortController().signal))?.length).toBeLessThanOrEqual(20_000);
    break;
  }
});

/** Connects a peer, and sends its bytes to an end that does not read. */
async function sendUnread(
  stack: NetworkStack,
  sent: Uint8Array[],
  caller: Caller,
  bytes: number,
): Promise<void> {
  stack.receive(caller.packets());
  await turn();
  caller.receive(sent.splice(0));
  caller.connection.write(new Uint8Array(bytes), clock.now());
  for (let step = 0; step < 20; step += 1) {
    stack.receive(caller.packets());
    await turn();
    caller.receive(sent.splice(0));
  }
}

const blockBytes = 16 * 1024;

it("resets the largest connection of the greediest peer once all hold too much memory", async () => {
  const { stack, sent } = open({ limits: { maxTcpBytes: 10 * blockBytes } });
  const streams: TcpStream[] = [];
  stack.forwardTcp((request) => {
    const stream = request.accept();
    if (stream !== undefined) streams.push(stream);
  });
  const modest = new Caller(3, 1);
  await sendUnread(stack, sent, modest, 3 * blockBytes);
  const callers = Array.from({ length: 7 }, (_, at) => new Caller(2, at + 1));
  for (const [at, caller] of callers.entries()) {
    // The fourth holds two blocks, and the others one for a single byte.
    await sendUnread(stack, sent, caller, at === 3 ? blockBytes + 1 : 1);
    expect(stack.tcpBytes).toBeLessThanOrEqual(10 * blockBytes);
  }
  const [first, ...others] = streams.map(({ failure }) => failure?.code);
  expect(first).toBeUndefined();
  expect(others).toEqual(callers.map((_, at) => (at === 3 ? "aborted" : undefined)));
  expect(stack.tcpBytes).toBe(10 * blockBytes);
  // Data that was read or forgotten holds no memory.
  for (const stream of streams) stream.abort();
  await turn();
  expect(stack.tcpBytes).toBe(0);
});

it("counts what a peer does not acknowledge", async () => {
  const { stack, sent } = open({ limits: { maxTcpBytes: 10 * blockBytes } });
  const listener = stack.listen(80);
  const caller = new Caller(2, 1);
  await sendUnread(stack, sent, caller, 0);
  for await (const stream of listener) {
    // The first byte has the offset 1.
    stream.writeNow(new Uint8Array(9 * blockBytes - 1));
    await turn();
    expect(stack.tcpBytes).toBe(9 * blockBytes);
    stream.writeNow(new Uint8Array(2 * blockBytes));
    await turn();
    await stream.closed;
    expect(stream.failure?.code).toBe("aborted");
    break;
  }
  expect(stack.tcpBytes).toBe(0);
});
