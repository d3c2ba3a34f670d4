/** The number of bytes added at a time. */
const strideBytes = 16;

/**
 * Adds the 16-bit big-endian words of `bytes` from `start` to `end` to `sum`, with an odd last byte as the upper half
 * of a word. The sum is not folded, so sums of several parts may be added as long as only the last one has an odd
 * length.
 *
 * Four 32-bit words are read at a time: modulo 65,535, in which the checksum counts, each is the sum of its halves.
 */
export function addWords(sum: number, bytes: Uint8Array, start: number, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  const length = end - start;
  const stridesEnd = length - (length % strideBytes);
  let total = sum;
  let at = 0;
  for (; at < stridesEnd; at += strideBytes) {
    total += view.getUint32(at) + view.getUint32(at + 4);
    total += view.getUint32(at + 8) + view.getUint32(at + 12);
  }
  for (; at + 1 < length; at += 2) total += view.getUint16(at);
  return at < length ? total + view.getUint8(at) * 256 : total;
}

/** Returns the checksum of the added words: the complement of their ones' complement sum (RFC 1071). */
export function finishChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000);
  return ~folded & 0xffff;
}
