import { noOptions } from "./options.ts";
import { segmentLength, TcpFlag, writeChecksum, writeHeader } from "./segment.ts";
import type { TcpSegment } from "./segment.ts";

/**
 * Writes the RST that answers a segment without a connection (RFC 9293 §3.10.7.1) to `bytes` at `offset`, and returns
 * its length: 0 if the segment is itself an RST, which is never answered.
 */
export function writeResetFor(
  segment: TcpSegment,
  bytes: Uint8Array,
  offset: number,
  addressSum: number,
): number {
  if ((segment.flags & TcpFlag.rst) !== 0) return 0;
  const hasAck = (segment.flags & TcpFlag.ack) !== 0;
  const end = writeHeader(bytes, offset, {
    sourcePort: segment.destinationPort,
    destinationPort: segment.sourcePort,
    sequence: hasAck ? segment.acknowledgment : 0,
    acknowledgment: hasAck ? 0 : (segment.sequence + segmentLength(segment)) >>> 0,
    flags: hasAck ? TcpFlag.rst : TcpFlag.rst | TcpFlag.ack,
    window: 0,
    options: noOptions,
  });
  writeChecksum(bytes, offset, end, addressSum);
  return end - offset;
}
