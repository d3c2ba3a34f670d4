import { systemClock } from "@slipway/runtime";

import { NetworkStack } from "../../src/stack/network-stack.ts";
import type { TcpStream } from "../../src/stack/tcp-stream.ts";

/** Both ends of a TCP connection between two stacks of one process. Its opener disposes of it. */
export interface ConnectionPair extends AsyncDisposable {
  readonly client: TcpStream;
  readonly server: TcpStream;
}

/** Connects two stacks with a lossless link, in real time. */
export async function openConnectionPair(): Promise<ConnectionPair> {
  const stacks: [NetworkStack, NetworkStack] = [
    openStack(1, (packets) => stacks[1].receive(packets)),
    openStack(2, (packets) => stacks[0].receive(packets)),
  ];
  const [near, far] = stacks;
  const listener = far.listen(80);
  const remote = { address: addressOf(2), port: 80 };
  const client = await near.connect(remote, { signal: AbortSignal.timeout(5_000) });
  const accepted = await listener[Symbol.asyncIterator]().next();
  if (accepted.done === true) throw new Error("the listener was closed");
  listener.close();
  return {
    client,
    server: accepted.value,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([near.close(), far.close()]);
    },
  };
}

function openStack(id: number, deliver: (packets: readonly Uint8Array[]) => void): NetworkStack {
  return new NetworkStack({
    addresses: [addressOf(id)],
    clock: systemClock,
    randomUint32: () => Math.floor(Math.random() * 2 ** 32),
    send: (packets) => {
      const copies = packets.map((packet) => packet.slice());
      setImmediate(() => deliver(copies));
    },
  });
}

function addressOf(id: number): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? 0xfd : id));
}
