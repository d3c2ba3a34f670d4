import { BytesError } from "./errors.ts";

/** The digits of each byte, precomputed because keys are encoded for every batch of datagrams. */
const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Encodes bytes as lower-case hexadecimal digits, two per byte. */
export function encodeHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += digits[byte] ?? "";
  return text;
}

/** Parses hexadecimal digits in either case, without separators. Throws `BytesError` "malformed-hex". */
export function parseHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) {
    throw new BytesError(
      "malformed-hex",
      `invalid hex (got ${String(text.length)} characters, wanted pairs of hexadecimal digits)`,
    );
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = Number.parseInt(text.slice(at * 2, at * 2 + 2), 16);
  }
  return bytes;
}
