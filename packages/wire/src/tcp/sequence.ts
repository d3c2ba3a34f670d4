/*
 * Sequence numbers count modulo 2^32 on the wire (RFC 9293 §3.4). Inside, both directions are counted by offsets that
 * never wrap: 0 is the SYN, 1 the first byte of data. A number is converted to an offset on receipt, relative to an
 * offset that must be near it.
 */

/** Returns the sequence number on the wire of an offset, counted from the initial sequence number. */
export function wrapOffset(initialSequence: number, offset: number): number {
  return (initialSequence + offset) >>> 0;
}

/** Returns the offset of a sequence number: the one that lies within 2^31 of the offset `near`. May be negative. */
export function unwrapSequence(initialSequence: number, sequence: number, near: number): number {
  return near + sequenceDistance(sequence, wrapOffset(initialSequence, near));
}

/** Returns `to - from` on the circle of 32-bit numbers, from -2^31 to 2^31 - 1; also of timestamps. */
export function sequenceDistance(to: number, from: number): number {
  return (to - from) | 0;
}
