import { ipv6HeaderBytes } from "@slipway/wire/ip/ipv6";
import { minTransportBytes } from "@slipway/wire/wireguard/message";

/** The offsets of the addresses in an IPv6 packet. */
export const sourceOffset = 8;
export const destinationOffset = 24;

/** The size of the blocks that packets are padded to (docs/protocol/tailnet.md §5.4). */
const blockBytes = 16;

/** Returns the length of the longest packet whose message has at most `datagramBytes`. */
export function packetBytesOf(datagramBytes: number): number {
  return Math.floor((datagramBytes - minTransportBytes) / blockBytes) * blockBytes;
}

/**
 * Returns the end of the IPv6 packet that begins at `start`; undefined if it is not one, or does not end by `end`.
 * The hot path does not need the other fields.
 */
export function packetEnd(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start < ipv6HeaderBytes || (bytes[start] ?? 0) >>> 4 !== 6) return undefined;
  const payloadBytes = ((bytes[start + 4] ?? 0) << 8) | (bytes[start + 5] ?? 0);
  const packetEndsAt = start + ipv6HeaderBytes + payloadBytes;
  return packetEndsAt <= end ? packetEndsAt : undefined;
}
