import { lengthBytes, maxPacketBytes } from "./packet-limits.ts";

/** The size from which room is used again; less costs little. */
const largeBytes = 64 * 1024;
/** The room that waits to be used again, of all clients together: one reads while another is sent. */
const maxSpares = 2;

const spares: Buffer[] = [];

/** Returns room for a packet with its length, with any content. Whoever is done with it may give it back. */
export function takeRoom(bytes: number): Buffer {
  if (bytes < largeBytes) return Buffer.allocUnsafe(bytes);
  const room = spares.pop() ?? Buffer.allocUnsafeSlow(lengthBytes + maxPacketBytes);
  return room.subarray(0, bytes);
}

/** Takes back the room of a packet, or of a part of it, that nobody uses any more. */
export function giveRoomBack({ buffer }: Buffer): void {
  const isLarge = buffer.byteLength === lengthBytes + maxPacketBytes;
  if (isLarge && spares.length < maxSpares) spares.push(Buffer.from(buffer));
}
