import type { TcpSegment } from "./segment.ts";

/** The payload of a segment if the peer's SYN says nothing of it (RFC 9293 §3.7.1, for IPv6). */
const defaultSegmentBytes = 1220;
/** The least payload that is taken from the peer's word: with less, headers would be most of the traffic. */
const leastSegmentBytes = 64;

/** The peer as its SYN describes it. */
export interface PeerSyn {
  readonly initialSequence: number;
  /** The largest payload that it takes, options included. */
  readonly maxSegmentBytes: number;
  /** The shift of its later windows; undefined if neither end may use one (RFC 7323 §1.3). */
  readonly windowScale: number | undefined;
  readonly hasSack: boolean;
  /** Its timestamp, if it uses them. */
  readonly timestamp: number | undefined;
}

/** Reads what a segment with SYN says. */
export function readSyn(segment: TcpSegment): PeerSyn {
  const { options } = segment;
  return {
    initialSequence: segment.sequence,
    maxSegmentBytes: Math.max(options.maxSegmentBytes ?? defaultSegmentBytes, leastSegmentBytes),
    windowScale: options.windowScale,
    hasSack: options.isSackPermitted,
    timestamp: options.timestamp,
  };
}
