import { addWords } from "../bytes/internet-checksum.ts";

/**
 * Returns the sum of the pseudo-header's addresses and next header (RFC 8200 §8.1). Add the length of the upper layer's
 * packet and the packet itself, and finish that. It is the same in both directions.
 */
export function pseudoHeaderSum(
  source: Uint8Array,
  destination: Uint8Array,
  nextHeader: number,
): number {
  const addresses = addWords(0, source, 0, source.length);
  return addWords(addresses, destination, 0, destination.length) + nextHeader;
}
