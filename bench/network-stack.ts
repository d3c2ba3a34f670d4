import { randomBytes } from "node:crypto";

import { systemClock } from "@slipway/runtime";
import { NetworkStack } from "@slipway/tailnet/stack/network-stack";
import { TcpPair } from "@slipway/testkit/links";

import { defineBenchmark } from "./benchmark.ts";
import { repeat } from "./report.ts";
import { addressOf, measureTransfer } from "./support/stack-transfer.ts";

/*
 * The network stack by itself: two stacks back to back in one thread, and connections over 100 Mbit/s links in
 * virtual time, with every byte compared. The share of a link is that of the application data; headers are part of
 * the rest.
 *
 *   npm run bench:network-stack [-- --megabytes=500] [--runs=3] [--json]
 *
 * Exits with 1 when two stacks move less than 300 MB/s.
 */

const leastMegabytesPerSecond = 300;
/** 100 Mbit/s. */
const bytesPerMs = 12_500;

export const benchmark = defineBenchmark({
  title: "Network stack",
  options: { megabytes: 500, runs: 3 },
  measure: async ({ options, findings }) => {
    const bytes = options.megabytes * 1e6;
    const backToBack = await repeat(options.runs, () => measureBackToBack(bytes));
    findings.note("two stacks back to back", "MB/s", ...backToBack);
    findings.require(Math.max(...backToBack) >= leastMegabytesPerSecond);
    for (const rttMs of [20, 100]) {
      for (const queuePackets of [256, 32]) {
        for (const lossRate of [0, 0.001, 0.01]) {
          const name = `${rttMs} ms, ${lossRate * 100} % lost, queue of ${queuePackets}`;
          const share = measureLink(bytes / 2, { rttMs, lossRate, queuePackets });
          findings.note(name, "% of 100 Mbit/s", share);
        }
      }
    }
  },
});

async function measureBackToBack(bytes: number): Promise<number> {
  const [client, server] = openPair();
  await using stacks = new AsyncDisposableStack();
  stacks.use(client);
  stacks.use(server);
  return await measureTransfer(client, server, { address: addressOf(2), bytes });
}

/** Opens two stacks, each of which passes its packets to the other in the next turn. */
function openPair(): readonly [NetworkStack, NetworkStack] {
  const open = (host: number, deliver: (packets: readonly Uint8Array[]) => void): NetworkStack =>
    new NetworkStack({
      addresses: [addressOf(host)],
      clock: systemClock,
      randomUint32: () => randomBytes(4).readUInt32BE(),
      send: (packets) => {
        const copies = copyAll(packets);
        setImmediate(() => deliver(copies));
      },
    });
  const client: NetworkStack = open(1, (packets) => server.receive(packets));
  const server: NetworkStack = open(2, (packets) => client.receive(packets));
  return [client, server];
}

/** Copies packets into one buffer, as a tunnel does when it encrypts them. */
function copyAll(packets: readonly Uint8Array[]): readonly Uint8Array[] {
  const copy = Buffer.concat(packets);
  let at = 0;
  return packets.map((packet) => {
    at += packet.length;
    return copy.subarray(at - packet.length, at);
  });
}

/** Returns the application's share of a link, in percent. */
function measureLink(
  sendBytes: number,
  {
    rttMs,
    lossRate,
    queuePackets,
  }: { readonly rttMs: number; readonly lossRate: number; readonly queuePackets: number },
): number {
  const link = { delayMs: rttMs / 2, bytesPerMs, queuePackets };
  const pair = new TcpPair({
    seed: 5,
    client: { sendBytes },
    server: { sendBytes: 0, staysOpen: true },
    link: { toServer: { ...link, lossRate }, toClient: link },
  });
  const start = pair.now;
  pair.run(() => pair.server.isPeerFinished, 3_600_000);
  if (pair.server.isSpoilt) throw new Error("unexpected bytes arrived");
  return (pair.server.read / (pair.now - start) / bytesPerMs) * 100;
}
