import { setImmediate as turn } from "node:timers/promises";

import { silentLogger } from "@slipway/runtime";
import { createFakeClock, type FakeClock } from "@slipway/testkit";
import { encodeHex } from "@slipway/wire/bytes/hex";
import { expect, onTestFinished } from "vitest";

import { nobleCrypto } from "../../src/crypto/noble-crypto.ts";
import type { RelayError } from "../../src/relay/errors.ts";
import { RelayClient, type RelayClientOptions } from "../../src/relay/relay-client.ts";
import { nodeAt, regionOf } from "./regions.ts";
import { type ScriptedConnection, ScriptedRelay } from "./scripted-relay.ts";

/** A client of a scripted relay, and its output. */
export interface OpenedRelayClient {
  readonly relay: ScriptedRelay;
  readonly clock: FakeClock;
  readonly client: RelayClient;
  readonly received: string[];
  readonly gone: string[];
}

/** Opens a client whose first attempts fail as given, and closes it after the test. */
export function openClient(
  changes: Partial<RelayClientOptions> = {},
  failures: readonly RelayError[] = [],
): OpenedRelayClient {
  const relay = new ScriptedRelay();
  relay.failures.push(...failures);
  const clock = createFakeClock();
  const received: string[] = [];
  const gone: string[] = [];
  const client = new RelayClient({
    region: regionOf(1, nodeAt(1)),
    identity: nobleCrypto.createKeyPair(),
    crypto: nobleCrypto,
    clock,
    logger: silentLogger,
    dialer: relay,
    isHome: false,
    forceWebSocket: false,
    onPackets: (source, packets) => {
      const texts = packets.map((packet) => Buffer.from(packet).toString());
      received.push(`${encodeHex(source).slice(0, 2)}: ${texts.join(",")}`);
    },
    onPeerGone: (key, reason) => gone.push(`${encodeHex(key).slice(0, 2)} ${reason}`),
    onStatus: () => undefined,
    ...changes,
  });
  onTestFinished(async () => {
    relay.connections.at(-1)?.startReading();
    await client.close();
  });
  return { relay, clock, client, received, gone };
}

/** Opens a client and lets it log in. */
export async function openConnected(
  changes: Partial<RelayClientOptions> = {},
): Promise<OpenedRelayClient & { readonly connection: ScriptedConnection }> {
  const opened = openClient(changes);
  await turn();
  const { last } = opened.relay;
  await last.accept();
  expect(opened.client.isConnected).toBe(true);
  return { ...opened, connection: last };
}

/** Returns packets of texts. */
export function packetsOf(...texts: readonly string[]): readonly Uint8Array[] {
  return texts.map((one) => Buffer.from(one));
}
