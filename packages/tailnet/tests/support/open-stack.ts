import { createFakeClock } from "@slipway/testkit";
import type { Icmpv6Message } from "@slipway/wire/ip/icmpv6";
import { writeIcmpv6 } from "@slipway/wire/ip/icmpv6";
import {
  IpProtocol,
  ipv6HeaderBytes,
  writeIpv6Header,
  pseudoHeaderSum,
} from "@slipway/wire/ip/ipv6";
import { onTestFinished } from "vitest";

import { NetworkStack, type StackOptions } from "../../src/stack/network-stack.ts";
import type { TcpStream } from "../../src/stack/tcp-stream.ts";

/** The signal of a test's waits; it is never aborted. */
export const { signal } = new AbortController();

/** The address of the stack under test, and that of its peer. */
export const ours = addressFrom(0);
export const theirs = addressFrom(100);

export const clock = createFakeClock();

function addressFrom(first: number): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? 0xfd : first + at));
}

let seed = 1;
function randomUint32(): number {
  seed = Math.imul(seed, 0x9e37_79b1) + 0x7f4a_7c15;
  return seed >>> 0;
}

/** Opens a stack whose packets are passed to `receive` in the next turn, and closes it after the test. */
export function openStack(
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
  onTestFinished(() => stack.close());
  return stack;
}

/** Opens a single stack, and returns it with the packets that it has sent. */
export function openAlone(options: Partial<StackOptions> = {}): {
  readonly stack: NetworkStack;
  readonly sent: readonly Uint8Array[];
} {
  const sent: Uint8Array[] = [];
  const stack = openStack(ours, (packets) => void sent.push(...packets), options);
  return { stack, sent };
}

/** Opens two stacks that reach each other: a client at our address and a server at theirs. */
export function openPair(
  options: Partial<StackOptions> = {},
): readonly [NetworkStack, NetworkStack] {
  const client: NetworkStack = openStack(ours, (packets) => server.receive(packets), options);
  const server: NetworkStack = openStack(theirs, (packets) => client.receive(packets), options);
  return [client, server];
}

/** Opens two connected stacks; `see` observes the client's packets. */
export function openSeenPair(
  see: (packets: readonly Uint8Array[]) => void,
  client: Partial<StackOptions> = {},
  server: Partial<StackOptions> = {},
): readonly [NetworkStack, NetworkStack] {
  const one: NetworkStack = openStack(
    ours,
    (packets) => {
      see(packets);
      other.receive(packets);
    },
    client,
  );
  const other: NetworkStack = openStack(theirs, (packets) => one.receive(packets), server);
  return [one, other];
}

/** Connects two stacks and returns both ends of the connection. */
export async function connectPair(
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

/** Reads a stream to its end. */
export async function readAll(stream: TcpStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let part = await stream.read(signal); part !== undefined; part = await stream.read(signal)) {
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Returns the packet of a message from the peer to us. */
export function icmpPacket(message: Icmpv6Message): Uint8Array {
  const bytes = new Uint8Array(1500);
  const sum = pseudoHeaderSum(theirs, ours, IpProtocol.icmpv6);
  const length = writeIcmpv6(bytes, ipv6HeaderBytes, message, sum);
  const header = { source: theirs, destination: ours, nextHeader: IpProtocol.icmpv6 };
  writeIpv6Header(bytes, 0, header, length);
  return bytes.subarray(0, ipv6HeaderBytes + length);
}

/** Lets sent packets arrive, and the packets sent in response. */
export async function turn(): Promise<void> {
  await clock.advance(0);
  await clock.advance(0);
}
