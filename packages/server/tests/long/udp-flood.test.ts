import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Worker } from "node:worker_threads";

import { openUdpSocket } from "@slipway/tailnet/node/udp-socket";
import type { DatagramSocket } from "@slipway/tailnet/path/datagram-socket";
import type { UdpAddress } from "@slipway/tailnet/path/udp-address";
import { expect, it, onTestFinished, vi } from "vitest";

import { agentId, expectEcho, joinAgent, openWorld } from "../support/own-peer-world.ts";

/* Strangers can flood the UDP port of the server's own peer with as much as the network carries. */

/** Sends each datagram repeatedly from a thread, as fast as it can, until stopped. */
const flooder = `
  const { workerData, parentPort } = require("node:worker_threads");
  const socket = require("node:dgram").createSocket("udp4");
  const { datagrams, port } = workerData;
  let sent = 0;
  const send = () => {
    for (let count = 0; count < 64; count += 1, sent += 1) {
      socket.send(datagrams[sent % datagrams.length], port, "127.0.0.1");
    }
    setImmediate(send);
  };
  socket.bind(0, "127.0.0.1", send);
  setInterval(() => parentPort.postMessage(sent), 50);
`;

/** The datagrams that an agent received from the server's own peer, and that peer's address. */
interface Heard {
  readonly datagrams: Uint8Array[];
  source: UdpAddress | undefined;
}

/** Opens the socket of an agent, which records received datagrams. */
async function openTappedSocket(): Promise<{ socket: TappedSocket; heard: Heard }> {
  const socket = await openUdpSocket();
  const heard: Heard = { datagrams: [], source: undefined };
  const tapped: TappedSocket = {
    get ports() {
      return socket.ports;
    },
    localAddresses: () => ["127.0.0.1"],
    lookup: (hostName) => socket.lookup(hostName),
    send: (datagrams, address) => socket.send(datagrams, address),
    onDatagrams: (receiver) =>
      socket.onDatagrams((datagrams, source) => {
        heard.source = source;
        if (heard.datagrams.length < 64) {
          heard.datagrams.push(...datagrams.map((one) => Uint8Array.from(one)));
        }
        receiver?.(datagrams, source);
      }),
    close: () => socket.close(),
  };
  return { socket: tapped, heard };
}

type TappedSocket = DatagramSocket & { close(): Promise<void> };

/** Returns datagrams that a stranger who has seen some traffic of the two can send: none of them is from the agent. */
function hostileDatagrams(heard: readonly Uint8Array[]): readonly Uint8Array[] {
  const disco = heard.find((one) => Buffer.from(one).toString().startsWith("TS\u{1f4ac}"));
  return [
    ...heard,
    ...heard.map((one) => Uint8Array.from([...one.subarray(0, -1), 0])),
    ...(disco === undefined
      ? []
      : [Uint8Array.from([...disco.subarray(0, 62), ...randomBytes(40)])]),
    Uint8Array.from([1, 0, 0, 0, ...randomBytes(144)]),
    Uint8Array.from([2, 0, 0, 0, ...randomBytes(88)]),
    Uint8Array.from([3, 0, 0, 0, ...randomBytes(60)]),
    Uint8Array.from([4, 0, 0, 0, ...randomBytes(1_276)]),
    randomBytes(1_400),
    new Uint8Array(0),
  ];
}

it("carries every byte to an agent while strangers flood the port of the server's own peer", async () => {
  const world = openWorld({ disableDirect: false });
  const { socket, heard } = await openTappedSocket();
  await joinAgent(world, agentId, socket);
  const source = await vi.waitFor(
    async () => {
      await expectEcho(world, agentId, randomBytes(10_000));
      if (heard.source === undefined || heard.datagrams.length < 16)
        throw new Error("no direct path");
      return heard.source;
    },
    { timeout: 15_000 },
  );
  const flood = new Worker(flooder, {
    eval: true,
    workerData: { datagrams: hostileDatagrams(heard.datagrams), port: source.port },
  });
  onTestFinished(async () => void (await flood.terminate()));
  const [before] = await once(flood, "message");
  const heapBefore = process.memoryUsage().arrayBuffers;
  await expectEcho(world, agentId, randomBytes(100_000));
  const [after] = await once(flood, "message");
  expect(Number(after)).toBeGreaterThan(Number(before));
  expect(process.memoryUsage().arrayBuffers - heapBefore).toBeLessThan(64 * 1024 * 1024);
  expect(world.ownPeer.size.tunnels).toBe(1);
  expect(world.outcomes.every((outcome) => outcome === "connected")).toBe(true);
});
