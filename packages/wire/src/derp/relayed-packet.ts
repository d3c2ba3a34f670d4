import {
  derpHeaderBytes,
  derpKeyBytes,
  DerpFrameType,
  payloadLength,
  writeDerpHeader,
} from "./header.ts";

/*
 * In-place changes that a relay makes to the frames that carry packets:
 *
 *   sent       04 | length      | destination | packet
 *   received   05 | length      | source      | packet
 *
 *   forwarded  0a | length      | source      | destination | packet
 *   received                 05 | length - 32 | source      | packet
 */

/** The beginning of a disco message, and the shortest one (docs/protocol/tailnet.md §4.7). */
const discoMagic = [0x54, 0x53, 0xf0, 0x9f, 0x92, 0xac] as const;
const minDiscoBytes = 62;

const packetOffset = derpHeaderBytes + derpKeyBytes;

/** Changes a frame from `sendPacket` to `recvPacket`, from the client with the key `source`. */
export function receiveSentPacket(bytes: Uint8Array, start: number, source: Uint8Array): void {
  bytes[start] = DerpFrameType.recvPacket;
  bytes.set(source, start + derpHeaderBytes);
}

/** Changes a frame from `forwardPacket` to `recvPacket`; returns where that begins. */
export function receiveForwardedPacket(bytes: Uint8Array, start: number): number {
  const length = payloadLength(bytes, start) - derpKeyBytes;
  const begin = start + derpKeyBytes;
  bytes.copyWithin(begin + derpHeaderBytes, start + derpHeaderBytes, start + packetOffset);
  writeDerpHeader(bytes, begin, { type: DerpFrameType.recvPacket, length });
  return begin;
}

/** Returns the `forwardPacket` of a `sendPacket` or `recvPacket`, as a copy. */
export function forwardSentPacket(
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
  { source, destination }: { readonly source: Uint8Array; readonly destination: Uint8Array },
): Uint8Array {
  const frame = new Uint8Array(end - start + derpKeyBytes);
  const length = frame.length - derpHeaderBytes;
  writeDerpHeader(frame, 0, { type: DerpFrameType.forwardPacket, length });
  frame.set(source, derpHeaderBytes);
  frame.set(destination, packetOffset);
  frame.set(bytes.subarray(start + packetOffset, end), packetOffset + derpKeyBytes);
  return frame;
}

/** Returns whether the packet from `start` to `end` looks like a message between peers about their paths. */
export function isDiscoPacket(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < minDiscoBytes) return false;
  for (let at = 0; at < discoMagic.length; at += 1) {
    if (bytes[start + at] !== discoMagic[at]) return false;
  }
  return true;
}
