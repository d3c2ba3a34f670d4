import { BytesError } from "./errors.ts";
import { encodeHex, parseHex } from "./hex.ts";

/** A UUID on the wire: raw bytes in RFC 4122 order (docs/protocol/rpc.md §4). */
const uuidBytes = 16;

/**
 * Formats exactly 16 bytes as 8-4-4-4-12 text, lower case. Throws `BytesError` "malformed-uuid" for any other length.
 */
export function parseUuid(bytes: Uint8Array): string {
  if (bytes.length !== uuidBytes) {
    throw new BytesError("malformed-uuid", `invalid UUID (got ${String(bytes.length)} bytes)`);
  }
  const hex = encodeHex(bytes);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}

/** Parses a UUID as text, in either case, into its 16 bytes. Throws `BytesError` "malformed-uuid". */
export function encodeUuid(text: string): Uint8Array {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) {
    throw new BytesError(
      "malformed-uuid",
      `invalid UUID text ${JSON.stringify(text.slice(0, 64))} (wanted 8-4-4-4-12 hexadecimal digits)`,
    );
  }
  return parseHex(text.replaceAll("-", ""));
}
