import { randomFillSync } from "node:crypto";

/** Random bytes are made for many packets at once. */
const random = Buffer.allocUnsafeSlow(4096);
let used = random.length;

/** Fills the rest of a packet, which is at most 255 bytes, with random bytes (RFC 4253 §6). */
export function fillPadding(packet: Uint8Array, start: number): void {
  const length = packet.length - start;
  if (used + length > random.length) {
    randomFillSync(random);
    used = 0;
  }
  packet.set(random.subarray(used, used + length), start);
  used += length;
}
