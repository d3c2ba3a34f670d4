import { loadNativeCrypto } from "@slipway/tailnet/node/native-crypto";
import { TunnelPair, type TunnelPairOptions } from "@slipway/testkit/links";
import type { WireguardMessageKind } from "@slipway/wire/wireguard/message";
import { wireguardMessageKind } from "@slipway/wire/wireguard/message";
import { expect, onTestFinished } from "vitest";

const crypto = await loadNativeCrypto();

/** Opens two tunnels that reach each other over a path with a fake clock, and closes them after the test. */
export function openPair(options: Partial<TunnelPairOptions> = {}): TunnelPair {
  const pair = new TunnelPair({ seed: 1, crypto, ...options });
  onTestFinished(() => pair[Symbol.asyncDispose]());
  return pair;
}

/** Opens a pair with a session. */
export async function openConnected(options: Partial<TunnelPairOptions> = {}): Promise<TunnelPair> {
  const pair = openPair(options);
  pair.send("one", [numbered(0)]);
  await pair.clock.advance(1000);
  expect(pair.other.packets.splice(0)).toHaveLength(1);
  for (const end of [pair.one, pair.other]) end.sent.length = 0;
  return pair;
}

/** Returns a payload that starts with a number. */
export function numbered(number: number, length = 8): Uint8Array {
  const payload = new Uint8Array(length);
  new DataView(payload.buffer).setUint32(0, number);
  return payload;
}

/** Returns the number of a packet. */
export function numberOf(packet: Uint8Array): number {
  return new DataView(packet.buffer, packet.byteOffset).getUint32(40);
}

/** Returns the types of messages; undefined for invalid ones. */
export function kinds(
  datagrams: readonly Uint8Array[],
): readonly (WireguardMessageKind | undefined)[] {
  return datagrams.map((datagram) => wireguardMessageKind(datagram));
}
