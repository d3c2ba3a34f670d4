import {
  derpHeaderBytes,
  derpKeyBytes,
  DerpFrameType,
  maxDerpPacketBytes,
  writeDerpHeader,
} from "@slipway/wire";

import { packetOverheadBytes } from "./limits.ts";

/**
 * Encodes packets for one peer, copied into one buffer of which the frames are views. Packets that are larger than a
 * relay carries are left out (docs/protocol/tailnet.md §4.5).
 */
export function encodeSentPackets(
  destination: Uint8Array,
  packets: readonly Uint8Array[],
): Uint8Array[] {
  const fitting = packets.filter(({ length }) => length <= maxDerpPacketBytes);
  let total = 0;
  for (const { length } of fitting) total += packetOverheadBytes + length;
  const bytes = new Uint8Array(total);
  let at = 0;
  return fitting.map((packet) => {
    const start = at;
    const length = derpKeyBytes + packet.length;
    writeDerpHeader(bytes, start, { type: DerpFrameType.sendPacket, length });
    bytes.set(destination, start + derpHeaderBytes);
    bytes.set(packet, start + packetOverheadBytes);
    at = start + derpHeaderBytes + length;
    return bytes.subarray(start, at);
  });
}
