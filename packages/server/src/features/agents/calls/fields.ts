import { RpcError } from "@slipway/rpc";
import { parseUuid } from "@slipway/wire/bytes/uuid";
import type { Timestamp } from "@slipway/wire/protobuf/descriptors";
import { timestampToNs } from "@slipway/wire/protobuf/time";

/** Returns a sub-message that must be present; throws `RpcError` when it is absent. */
export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new RpcError(`${name} is missing`);
  return value;
}

/** Reads a UUID of exactly 16 bytes; throws `RpcError` for any other length (docs/protocol/rpc.md §4). */
export function uuidField(bytes: Uint8Array, name: string): string {
  try {
    return parseUuid(bytes);
  } catch (error) {
    throw new RpcError(`${name}: ${error instanceof Error ? error.message : "invalid UUID"}`);
  }
}

/** Returns the text for a number of an open enumeration; throws `RpcError` for 0 and unknown numbers. */
export function enumField<T extends string>(
  texts: ReadonlyMap<number, T>,
  value: number,
  name: string,
): T {
  const text = texts.get(value);
  if (text === undefined) throw new RpcError(`${name}: unknown value ${value}`);
  return text;
}

const nsPerMicrosecond = 1000n;
const microsecondsPerSecond = 1_000_000n;
/** 0001-01-01, which Go peers send for "no time". */
const zeroSeconds = -62_135_596_800n;
/** The last second of the year 9999, the end of a timestamp's range. */
const lastSeconds = 253_402_300_799n;

/**
 * Returns a time in PostgreSQL's format, to the microsecond; undefined for an absent one and for 0001-01-01. Throws
 * `RpcError` outside of the years 1 to 9999.
 */
export function timeField(timestamp: Timestamp | undefined, name: string): string | undefined {
  if (timestamp === undefined) return undefined;
  const { seconds, nanos } = timestamp;
  if (seconds < zeroSeconds || seconds > lastSeconds || nanos < 0 || nanos > 999_999_999) {
    throw new RpcError(`${name}: invalid time of ${seconds} s and ${nanos} ns`);
  }
  if (seconds === zeroSeconds && nanos === 0) return undefined;
  const fraction = (timestampToNs(timestamp) / nsPerMicrosecond) % microsecondsPerSecond;
  const microseconds = (fraction + microsecondsPerSecond) % microsecondsPerSecond;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}.${microseconds.toString().padStart(6, "0")}Z`;
}
