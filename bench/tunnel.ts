import { randomBytes } from "node:crypto";

import { systemClock } from "@slipway/runtime";
import type { TailnetCrypto } from "@slipway/tailnet/crypto/crypto";
import { loadNativeCrypto } from "@slipway/tailnet/node/native-crypto";
import { NetworkStack } from "@slipway/tailnet/stack/network-stack";
import { Tunnel } from "@slipway/tailnet/tunnel/tunnel";

import { buildTcpPeer, peerAddress, TcpPeer } from "../interop/support/tcp-peer.ts";
import { TunnelLink } from "../interop/support/tunnel-link.ts";
import { defineBenchmark } from "./benchmark.ts";
import type { Findings } from "./findings.ts";
import { repeat } from "./report.ts";
import { addressOf, measureTransfer } from "./support/stack-transfer.ts";

/*
 * TCP through a WireGuard tunnel, with every byte compared: between two of our ends in one thread, and between one of
 * ours and wireguard-go with gVisor's TCP, over local UDP.
 *
 *   npm run bench:tunnel [-- --megabytes=200] [--runs=3] [--no-go] [--json]
 *
 * Exits with 1 when two ends in one thread move less than 50 MB/s, which is 100 MB/s for each.
 */

const leastMegabytesPerSecond = 50;

export const benchmark = defineBenchmark({
  title: "Tunnel",
  options: { megabytes: 200, runs: 3, "no-go": false },
  measure: async ({ options, findings }) => {
    const bytes = options.megabytes * 1e6;
    const oneThread = await repeat(options.runs, () => measureOneThread(bytes));
    findings.note("two ends in one thread", "MB/s", ...oneThread);
    findings.require(Math.max(...oneThread) >= leastMegabytesPerSecond);
    if (options["no-go"]) return;
    const built = buildTcpPeer();
    try {
      for (const initiator of ["us", "it"] as const) {
        const order = { program: built.program, initiator, bytes, runs: options.runs };
        await measureGo(order, findings);
      }
    } finally {
      built.remove();
    }
  },
});

/** A stack behind a tunnel. */
interface End {
  readonly stack: NetworkStack;
  readonly tunnel: Tunnel;
}

function openEnd(
  host: number,
  crypto: TailnetCrypto,
  transmit: (datagrams: readonly Uint8Array[]) => void,
): End {
  const tunnel: Tunnel = new Tunnel({
    privateKey: crypto.createKeyPair().privateKey,
    crypto,
    clock: systemClock,
    transmit: (_, datagrams) => setImmediate(transmit, datagrams),
    deliver: (packets) => stack.receive(packets),
  });
  const stack: NetworkStack = new NetworkStack({
    addresses: [addressOf(host)],
    clock: systemClock,
    randomUint32: () => randomBytes(4).readUInt32BE(),
    send: (packets) => tunnel.send(packets),
  });
  return { stack, tunnel };
}

async function measureOneThread(bytes: number): Promise<number> {
  const crypto = await loadNativeCrypto();
  const client: End = openEnd(1, crypto, (datagrams) =>
    server.tunnel.receive(datagrams, undefined, undefined),
  );
  const server: End = openEnd(2, crypto, (datagrams) =>
    client.tunnel.receive(datagrams, undefined, undefined),
  );
  await using opened = new AsyncDisposableStack();
  for (const { stack, tunnel } of [client, server]) {
    opened.use(tunnel);
    opened.use(stack);
  }
  for (const [end, peer, host] of [
    [client, server, 2],
    [server, client, 1],
  ] as const) {
    end.tunnel.setPeer({
      publicKey: peer.tunnel.publicKey,
      allowedAddresses: [addressOf(host)],
      persistentKeepaliveMs: undefined,
    });
  }
  return await measureTransfer(client.stack, server.stack, { address: addressOf(2), bytes });
}

/** Measures both directions against wireguard-go, with the handshake started by either side. */
async function measureGo(
  {
    program,
    initiator,
    bytes,
    runs,
  }: {
    readonly program: string;
    readonly initiator: "us" | "it";
    readonly bytes: number;
    readonly runs: number;
  },
  findings: Findings,
): Promise<void> {
  const link = await TunnelLink.open({ peerAddress });
  await using peer = await TcpPeer.open(program, "gvisor", link);
  if (initiator === "us") await peer.call("echo", 1000);
  else await peer.beCalled("echo", 1000);
  for (const [way, mode] of [
    ["to", "upload"],
    ["from", "download"],
  ] as const) {
    const speeds = await repeat(runs, async () => {
      const started = performance.now();
      await peer.call(mode, bytes);
      return bytes / 1000 / (performance.now() - started);
    });
    findings.note(`${way} wireguard-go, handshake begun by ${initiator}`, "MB/s", ...speeds);
  }
}
