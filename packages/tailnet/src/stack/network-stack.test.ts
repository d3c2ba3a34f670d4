import { createFakeClock } from "@slipway/testkit";
import {
  IpProtocol,
  ipv6HeaderBytes,
  parseIcmpv6,
  parseIpv6,
  pseudoHeaderSum,
  writeIcmpv6,
  writeIpv6Header,
  writeUdp,
  type Icmpv6Message,
} from "@slipway/wire";
import { afterEach, expect, it } from "vitest";

import { NetworkStack, type StackOptions } from "./network-stack.ts";
import type { TcpStream } from "./tcp-stream.ts";

const { signal } = new AbortController();
const ours = Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? 0xfd : at));
const theirs = Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? 0xfd : 100 + at));
const clock = createFakeClock();
const opened: NetworkStack[] = [];

afterEach(async () => {
  for (const stack of opened.splice(0)) await stack.close();
});

let seed = 1;
function randomUint32(): number {
  seed = Math.imul(seed, 0x9e37_79b1) + 0x7f4a_7c15;
  return seed >>> 0;
}

/** Opens a stack whose packets come to `receive` in the next turn, unless `isLost` says otherwise. */
function open(
  address: Uint8Array,
  receive: (packets: readonly Uint8Array[]) => void,
  options: Partial<StackOptions> = {},
): NetworkStack {
  const stack = new NetworkStack({
    addresses: [address],
    clock,
    randomUint32,
    send: (packets) => {
      const copies = packets.map((packet) => packet.slice());
      setImmediate(() => receive(copies));
    },
    ...options,
  });
  opened.push(stack);
  return stack;
}

function openPair(options: Partial<StackOptions> = {}): readonly [NetworkStack, NetworkStack] {
  const client: NetworkStack = open(ours, (packets) => server.receive(packets), options);
  const server: NetworkStack = open(theirs, (packets) => client.receive(packets), options);
  return [client, server];
}

/** Connects and returns both ends. */
async function connectPair(
  client: NetworkStack,
  server: NetworkStack,
): Promise<readonly [TcpStream, TcpStream]> {
  const listener = server.listen(80);
  const stream = await client.connect({ address: theirs, port: 80 }, { signal });
  for await (const accepted of listener) {
    listener.close();
    return [stream, accepted];
  }
  throw new Error("nobody came");
}

async function readAll(stream: TcpStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let part = await stream.read(signal); part !== undefined; part = await stream.read(signal)) {
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function icmpPacket(message: Icmpv6Message): Uint8Array {
  const bytes = new Uint8Array(1500);
  const sum = pseudoHeaderSum(theirs, ours, IpProtocol.icmpv6);
  const length = writeIcmpv6(bytes, ipv6HeaderBytes, message, sum);
  const header = { source: theirs, destination: ours, nextHeader: IpProtocol.icmpv6 };
  writeIpv6Header(bytes, 0, header, length);
  return bytes.subarray(0, ipv6HeaderBytes + length);
}

/** Opens a stack alone, and what it has sent. */
function openAlone(options: Partial<StackOptions> = {}) {
  const sent: Uint8Array[] = [];
  const stack = open(ours, (packets) => void sent.push(...packets), options);
  return { stack, sent };
}

async function turn(): Promise<void> {
  await clock.advance(0);
  await clock.advance(0);
}

it("carries bytes both ways, and ends each half by itself", async () => {
  const [stream, accepted] = await connectPair(...openPair());
  expect(accepted.remote).toEqual(stream.local);
  const upload = Buffer.alloc(2_000_000, "up");
  const download = Buffer.alloc(300_000, "down");
  const sent = stream.write(upload, signal).then(() => stream.finish());
  expect(upload.equals(await readAll(accepted))).toBe(true);
  await sent;
  const answered = accepted.write(download, signal).then(() => accepted.finish());
  expect(download.equals(await readAll(stream))).toBe(true);
  await answered;
  await Promise.all([stream.closed, accepted.closed]);
});

it("connects anew from a port that the peer still waits on for old segments", async () => {
  // Each number is smaller than the one before, and all lead to the same port.
  let next = 0xffff_c000;
  const decreasing = (): number => (next -= 0x1000_0000);
  const client: NetworkStack = open(ours, (packets) => server.receive(packets), {
    randomUint32: decreasing,
  });
  const server: NetworkStack = open(theirs, (packets) => client.receive(packets));
  const ports: number[] = [];
  for (let time = 0; time < 3; time += 1) {
    const [stream, accepted] = await connectPair(client, server);
    ports.push(stream.local.port);
    accepted.finish();
    await readAll(stream);
    stream.finish();
    await Promise.all([stream.closed, readAll(accepted)]);
    await clock.advance(2);
  }
  expect(new Set(ports).size).toBe(1);
});

it("refuses a connection to a port without a listener", async () => {
  const [client] = openPair();
  await expect(client.connect({ address: theirs, port: 81 }, { signal })).rejects.toMatchObject({
    code: "refused",
  });
});

it("gives up to connect when the signal does", async () => {
  const { stack, sent } = openAlone();
  const controller = new AbortController();
  const connecting = stack.connect({ address: theirs, port: 80 }, { signal: controller.signal });
  await turn();
  expect(sent).toHaveLength(1);
  controller.abort(new Error("enough"));
  await expect(connecting).rejects.toThrow("enough");
  expect(stack.connections).toBe(0);
});

it("repeats a SYN by its clock", async () => {
  const { stack, sent } = openAlone();
  const connecting = stack.connect({ address: theirs, port: 80 }, { signal });
  connecting.catch(() => undefined);
  await turn();
  await clock.advance(1000);
  await turn();
  expect(sent).toHaveLength(2);
});

it("does not read more than the buffer before the application does, and then all", async () => {
  const [stream, accepted] = await connectPair(
    ...openPair({ tcp: { maxReceiveBytes: 10_000, maxSendBytes: 10_000 } }),
  );
  let isDone = false;
  const writing = stream.write(new Uint8Array(100_000), signal).then(() => {
    isDone = true;
    stream.finish();
  });
  await clock.advance(1000);
  expect(isDone).toBe(false);
  const reading = readAll(accepted);
  for (let count = 0; count < 200; count += 1) await clock.advance(10);
  await writing;
  expect((await reading).length).toBe(100_000);
});

it("fails a reader and a writer when the peer resets", async () => {
  const [stream, accepted] = await connectPair(...openPair());
  const reading = stream.read(signal);
  accepted.abort();
  await expect(reading).rejects.toMatchObject({ code: "reset" });
  await expect(stream.write(Uint8Array.of(1), signal)).rejects.toMatchObject({ code: "reset" });
});

it("refuses a write after the end", async () => {
  const [stream] = await connectPair(...openPair());
  stream.finish();
  await expect(stream.write(Uint8Array.of(1), signal)).rejects.toMatchObject({
    code: "stream-finished",
  });
});

it("asks before it answers a SYN to another port", async () => {
  const [client, server] = openPair();
  const asked: number[] = [];
  server.forwardTcp((request) => {
    asked.push(request.local.port);
    setImmediate(() => {
      if (request.local.port === 1000) request.refuse();
      else
        void request
          .accept()
          ?.write(Buffer.from("hello"), signal)
          .catch(() => undefined);
    });
  });
  await expect(client.connect({ address: theirs, port: 1000 }, { signal })).rejects.toMatchObject({
    code: "refused",
  });
  const stream = await client.connect({ address: theirs, port: 1001 }, { signal });
  expect(Buffer.from((await stream.read(signal)) ?? []).toString()).toBe("hello");
  expect(asked).toEqual([1000, 1001]);
});

it("listens once on a port, and again after the listener was closed", () => {
  const { stack } = openAlone();
  const listener = stack.listen(80);
  expect(() => stack.listen(80)).toThrow(expect.objectContaining({ code: "port-in-use" }));
  listener.close();
  stack.listen(80);
});

it("carries datagrams", async () => {
  const [client, server] = openPair();
  const service = server.bindUdp(53);
  const socket = client.bindUdp();
  socket.send({ address: theirs, port: 53 }, Uint8Array.of(1, 2, 3));
  for await (const { from, payload } of service) {
    service.send(from, payload.toReversed());
    break;
  }
  for await (const { from, payload } of socket) {
    expect(from).toEqual({ address: theirs, port: 53 });
    expect(payload).toEqual(Uint8Array.of(3, 2, 1));
    break;
  }
  expect(() => client.bindUdp(socket.local.port)).toThrow(
    expect.objectContaining({ code: "port-in-use" }),
  );
  expect(() => socket.send({ address: theirs, port: 53 }, new Uint8Array(1233))).toThrow(
    expect.objectContaining({ code: "datagram-too-large" }),
  );
});

it("drops datagrams that nobody takes", async () => {
  const [client, server] = openPair({ limits: { maxDatagrams: 3 } });
  const service = server.bindUdp(53);
  const socket = client.bindUdp();
  for (let count = 0; count < 5; count += 1) {
    socket.send({ address: theirs, port: 53 }, Uint8Array.of(count));
  }
  await turn();
  expect(service.dropped).toBe(2);
});

it("relays datagrams to any port when told to", async () => {
  const [client, server] = openPair();
  server.forwardUdp(({ from, to, payload }) => server.sendUdp(to, from, payload));
  const socket = client.bindUdp();
  socket.send({ address: theirs, port: 7 }, Uint8Array.of(7));
  for await (const { from } of socket) {
    expect(from.port).toBe(7);
    break;
  }
});

it("answers an echo request", async () => {
  const { stack, sent } = openAlone();
  const data = Uint8Array.of(1, 2, 3);
  stack.receive([icmpPacket({ type: "echo-request", identifier: 5, sequence: 6, data })]);
  await turn();
  const [answer = new Uint8Array()] = sent;
  const packet = parseIpv6(answer);
  expect(packet).toMatchObject({ source: ours, destination: theirs });
  expect(parseIcmpv6(answer, 40, answer.length)).toEqual({
    type: "echo-reply",
    identifier: 5,
    sequence: 6,
    data,
  });
});

it("tells what cannot be reached, a hundred times a second", async () => {
  const { stack, sent } = openAlone();
  const unknown = icmpPacket({ type: "echo-reply", identifier: 1, sequence: 1, data: ours });
  unknown[6] = 77;
  stack.receive(Array<Uint8Array>(1000).fill(unknown));
  await turn();
  expect(sent).toHaveLength(100);
  const [answer = new Uint8Array()] = sent;
  expect(parseIcmpv6(answer, 40, answer.length)).toEqual({
    type: "unknown-next-header",
    pointer: 6,
    cause: unknown,
  });
});

it("ends a connection attempt when ICMPv6 says that the peer cannot be reached", async () => {
  const { stack, sent } = openAlone();
  const connecting = stack.connect({ address: theirs, port: 80 }, { signal });
  const failed = expect(connecting).rejects.toMatchObject({ code: "unreachable" });
  await turn();
  const [syn = new Uint8Array()] = sent;
  stack.receive([icmpPacket({ type: "unreachable", code: 0, cause: syn.subarray(0, 48) })]);
  await failed;
});

it("takes no ICMPv6 error about what it has not sent, nor about an open connection", async () => {
  const { stack, sent } = openAlone();
  const connecting = stack.connect({ address: theirs, port: 80 }, { signal });
  connecting.catch(() => undefined);
  await turn();
  const [syn = new Uint8Array()] = sent;
  const otherSequence = syn.slice(0, 48);
  otherSequence[44] = (otherSequence[44] ?? 0) ^ 1;
  const otherPort = syn.slice(0, 48);
  otherPort[41] = (otherPort[41] ?? 0) ^ 1;
  for (const cause of [otherSequence, otherPort, syn.slice(0, 47), syn.slice(0, 20)]) {
    stack.receive([icmpPacket({ type: "unreachable", code: 0, cause })]);
    stack.receive([icmpPacket({ type: "unknown-next-header", pointer: 6, cause })]);
  }
  await turn();
  expect(stack.connections).toBe(1);
  const packets: Uint8Array[] = [];
  const client: NetworkStack = open(ours, (batch) => {
    packets.push(...batch);
    server.receive(batch);
  });
  const server: NetworkStack = open(theirs, (batch) => client.receive(batch));
  const [stream, accepted] = await connectPair(client, server);
  const upload = stream.write(new Uint8Array(20_000), signal).then(() => stream.finish());
  for (const packet of packets.slice(0, 3)) {
    const cause = packet.subarray(0, 60);
    client.receive([icmpPacket({ type: "unreachable", code: 0, cause })]);
    client.receive([icmpPacket({ type: "packet-too-big", mtu: 68, cause })]);
  }
  expect(await readAll(accepted)).toHaveLength(20_000);
  await upload;
  // A forged MTU makes no smaller segments: that of a tunnel is the least of IPv6.
  expect(packets.filter(({ length }) => length === 1280).length).toBeGreaterThan(14);
});

it("fails when nobody can take its packets", async () => {
  const { stack } = openAlone({
    send: () => {
      throw new Error("the tunnel is broken");
    },
  });
  stack.sendUdp({ address: ours, port: 1 }, { address: theirs, port: 2 }, ours);
  await expect(stack.failed).rejects.toThrow("the tunnel is broken");
});

it("takes nothing that is not for its address, malformed, too big or from everybody", async () => {
  const { stack, sent } = openAlone();
  const echo = { type: "echo-request", identifier: 5, sequence: 6 } as const;
  const ping = icmpPacket({ ...echo, data: ours });
  const elsewhere = ping.slice();
  elsewhere[39] = 9;
  const multicast = ping.slice();
  multicast[8] = 0xff;
  const tooBig = icmpPacket({ ...echo, data: new Uint8Array(1233) });
  stack.receive([tooBig, elsewhere, multicast, ping.subarray(0, 50), new Uint8Array(3)]);
  await turn();
  expect(sent).toEqual([]);
});

it("ends all streams, listeners and sockets when it is closed", async () => {
  const [client, server] = openPair();
  const [stream, accepted] = await connectPair(client, server);
  const listener = client.listen(99);
  const socket = client.bindUdp();
  await client.close();
  await expect(stream.read(signal)).rejects.toMatchObject({ code: "aborted" });
  await expect(accepted.read(signal)).rejects.toMatchObject({ code: "reset" });
  for await (const one of listener) expect(one).toBeUndefined();
  for await (const one of socket) expect(one).toBeUndefined();
  expect(() => client.listen(99)).toThrow(expect.objectContaining({ code: "closed" }));
});

/** Opens two stacks that take packets of 16 KiB, over a path that carries `carried.bytes`. */
function openLargePair(carried: { bytes: number }, lengths: number[] = []) {
  const tcpPackets = { largestBytes: 16_384, carriedBytes: () => carried.bytes };
  const client: NetworkStack = open(
    ours,
    (packets) => {
      lengths.push(...packets.map(({ length }) => length));
      server.receive(packets);
    },
    { tcpPackets },
  );
  const server: NetworkStack = open(theirs, (packets) => client.receive(packets), { tcpPackets });
  return [client, server] as const;
}

it("sends packets of TCP as long as the path carries now", async () => {
  const carried = { bytes: 16_384 };
  const lengths: number[] = [];
  const [stream, accepted] = await connectPair(...openLargePair(carried, lengths));
  const upload = Buffer.alloc(1_000_000, "large and small");
  const sent = (async () => {
    for (const bytes of [16_384, 1280, 8800]) {
      carried.bytes = bytes;
      await stream.write(upload, signal);
    }
    stream.finish();
  })();
  const read = await readAll(accepted);
  await sent;
  expect(Buffer.concat([upload, upload, upload]).equals(read)).toBe(true);
  for (const bytes of [16_384, 1280, 8800]) expect(lengths).toContain(bytes);
});

it("sends a peer that takes 1280 bytes no more", async () => {
  const lengths: number[] = [];
  const client: NetworkStack = open(
    ours,
    (packets) => {
      lengths.push(...packets.map(({ length }) => length));
      server.receive(packets);
    },
    { tcpPackets: { largestBytes: 16_384, carriedBytes: () => 65_000 } },
  );
  const server: NetworkStack = open(theirs, (packets) => client.receive(packets));
  const upload = Buffer.alloc(100_000, "small");
  const [stream, accepted] = await connectPair(client, server);
  const sent = stream.write(upload, signal).then(() => stream.finish());
  expect(upload.equals(await readAll(accepted))).toBe(true);
  await sent;
  expect(Math.max(...lengths)).toBe(1280);
});

it("takes long packets of TCP alone", async () => {
  const { stack } = openAlone({ tcpPackets: { largestBytes: 16_384, carriedBytes: () => 1280 } });
  const socket = stack.bindUdp(7);
  const bytes = new Uint8Array(1400);
  const header = { source: theirs, destination: ours, nextHeader: IpProtocol.udp };
  const datagram = { sourcePort: 9, destinationPort: 7, payload: new Uint8Array(1300) };
  const length = writeUdp(bytes, ipv6HeaderBytes, datagram, 0);
  writeIpv6Header(bytes, 0, header, length);
  stack.receive([bytes.subarray(0, ipv6HeaderBytes + length)]);
  const short = { ...datagram, payload: Uint8Array.of(1) };
  writeIpv6Header(bytes, 0, header, writeUdp(bytes, ipv6HeaderBytes, short, 0));
  stack.receive([bytes.subarray(0, ipv6HeaderBytes + 9)]);
  for await (const { payload } of socket) {
    expect(payload).toEqual(Uint8Array.of(1));
    break;
  }
});
