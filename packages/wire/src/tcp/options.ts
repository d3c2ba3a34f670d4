import { readUint16, readUint32, writeUint16, writeUint32 } from "../bytes/integers.ts";

/** The options of a segment that this end understands. If a kind occurs twice, the last counts. */
export interface SegmentOptions {
  /** The largest payload that the sender accepts, without options (RFC 9293 §3.7.1); in a SYN only. */
  readonly maxSegmentBytes: number | undefined;
  /** The scale of the windows that the sender will send (RFC 7323 §2); in a SYN only. */
  readonly windowScale: number | undefined;
  /** True if the sender accepts SACK options (RFC 2018 §2); in a SYN only. */
  readonly isSackPermitted: boolean;
  /** TSval, undefined without the option, and TSecr (RFC 7323 §3). */
  readonly timestamp: number | undefined;
  readonly timestampEcho: number;
  /** The SACK blocks (RFC 2018 §3) as start and end of one after the other; empty without the option. */
  readonly sackEdges: readonly number[];
}

const Kind = {
  end: 0,
  noOperation: 1,
  maxSegment: 2,
  windowScale: 3,
  sackPermitted: 4,
  sack: 5,
  timestamps: 8,
} as const;

/** The lengths of options, including the kind and length bytes. */
const Length = { maxSegment: 4, windowScale: 3, sackPermitted: 2, timestamps: 10 } as const;
const sackBlockBytes = 8;

/** The largest scale (RFC 7323 §2.3); a larger one counts as this. */
const maxWindowScale = 14;

/** The timestamps option after two NOPs, the form in nearly every segment. */
const alignedTimestamps = 0x0101_080a;
export const timestampsBytes = 12;

const noSacks: readonly number[] = [];

export const noOptions: SegmentOptions = {
  maxSegmentBytes: undefined,
  windowScale: undefined,
  isSackPermitted: false,
  timestamp: undefined,
  timestampEcho: 0,
  sackEdges: noSacks,
};

/**
 * Parses the options of `bytes` from `start` to `end`. Never fails: an option whose length is wrong ends the list, and the
 * segment counts with those before it (RFC 9293 §3.1 leaves the choice).
 */
export function parseOptions(bytes: Uint8Array, start: number, end: number): SegmentOptions {
  if (start === end) return noOptions;
  if (end - start === timestampsBytes && readUint32(bytes, start) === alignedTimestamps) {
    return {
      maxSegmentBytes: undefined,
      windowScale: undefined,
      isSackPermitted: false,
      timestamp: readUint32(bytes, start + 4),
      timestampEcho: readUint32(bytes, start + 8),
      sackEdges: noSacks,
    };
  }
  const options = { ...noOptions };
  let at = start;
  while (at < end) {
    const kind = bytes[at] ?? Kind.end;
    if (kind === Kind.end) break;
    if (kind === Kind.noOperation) {
      at += 1;
      continue;
    }
    const length = at + 1 < end ? (bytes[at + 1] ?? 0) : 0;
    if (length < 2 || at + length > end) break;
    readOption(options, bytes, at, length);
    at += length;
  }
  return options;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads one option into `options`; one whose length does not fit its kind is skipped. */
function readOption(
  options: Mutable<SegmentOptions>,
  bytes: Uint8Array,
  at: number,
  length: number,
): void {
  switch (bytes[at] ?? Kind.end) {
    case Kind.maxSegment:
      if (length === Length.maxSegment) options.maxSegmentBytes = readUint16(bytes, at + 2);
      return;
    case Kind.windowScale:
      if (length === Length.windowScale) {
        options.windowScale = Math.min(bytes[at + 2] ?? 0, maxWindowScale);
      }
      return;
    case Kind.sackPermitted:
      if (length === Length.sackPermitted) options.isSackPermitted = true;
      return;
    case Kind.timestamps:
      if (length === Length.timestamps) {
        options.timestamp = readUint32(bytes, at + 2);
        options.timestampEcho = readUint32(bytes, at + 6);
      }
      return;
    case Kind.sack:
      if (length > 2 && (length - 2) % sackBlockBytes === 0) {
        const edges: number[] = [];
        for (let edge = at + 2; edge < at + length; edge += 4) edges.push(readUint32(bytes, edge));
        options.sackEdges = edges;
      }
  }
}

/** Returns the length of the options as `writeOptions` writes them, a multiple of 4. */
export function optionsBytes(options: SegmentOptions): number {
  const { maxSegmentBytes, windowScale, isSackPermitted, timestamp, sackEdges } = options;
  return (
    (maxSegmentBytes === undefined ? 0 : 4) +
    (windowScale === undefined ? 0 : 4) +
    (timestamp === undefined ? (isSackPermitted ? 4 : 0) : timestampsBytes) +
    (sackEdges.length === 0 ? 0 : 4 + sackEdges.length * 4)
  );
}

/**
 * Writes options to `bytes` at `offset`, each aligned to 4 bytes by NOPs before it, and returns the offset after
 * them. The caller ensures that they fit into the 40 bytes that a header has for them.
 */
export function writeOptions(bytes: Uint8Array, offset: number, options: SegmentOptions): number {
  const { maxSegmentBytes, windowScale, isSackPermitted, timestamp, sackEdges } = options;
  let at = offset;
  if (maxSegmentBytes !== undefined) {
    bytes[at] = Kind.maxSegment;
    bytes[at + 1] = Length.maxSegment;
    writeUint16(bytes, at + 2, maxSegmentBytes);
    at += 4;
  }
  if (isSackPermitted) {
    at = writeSackPermitted(bytes, at, timestamp !== undefined);
  }
  if (timestamp !== undefined) {
    at = writeTimestamps(bytes, at, options, isSackPermitted);
  }
  if (windowScale !== undefined) {
    bytes[at] = Kind.noOperation;
    bytes[at + 1] = Kind.windowScale;
    bytes[at + 2] = Length.windowScale;
    bytes[at + 3] = windowScale;
    at += 4;
  }
  if (sackEdges.length > 0) {
    bytes[at] = Kind.noOperation;
    bytes[at + 1] = Kind.noOperation;
    bytes[at + 2] = Kind.sack;
    bytes[at + 3] = 2 + sackEdges.length * 4;
    at += 4;
    for (const edge of sackEdges) {
      writeUint32(bytes, at, edge);
      at += 4;
    }
  }
  return at;
}

/** Writes SACK-permitted: before the 10 bytes of timestamps it needs no NOPs. */
function writeSackPermitted(bytes: Uint8Array, at: number, beforeTimestamps: boolean): number {
  let next = at;
  if (!beforeTimestamps) {
    bytes[next] = Kind.noOperation;
    bytes[next + 1] = Kind.noOperation;
    next += 2;
  }
  bytes[next] = Kind.sackPermitted;
  bytes[next + 1] = Length.sackPermitted;
  return next + 2;
}

function writeTimestamps(
  bytes: Uint8Array,
  at: number,
  { timestamp = 0, timestampEcho }: SegmentOptions,
  isAligned: boolean,
): number {
  let next = at;
  if (!isAligned) {
    bytes[next] = Kind.noOperation;
    bytes[next + 1] = Kind.noOperation;
    next += 2;
  }
  bytes[next] = Kind.timestamps;
  bytes[next + 1] = Length.timestamps;
  writeUint32(bytes, next + 2, timestamp);
  writeUint32(bytes, next + 6, timestampEcho);
  return next + 10;
}
