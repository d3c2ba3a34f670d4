import { BytesError } from "./errors.ts";

// Every runtime has these two, but neither the ES library nor our empty `types` declares them.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
declare const TextDecoder: new (
  label: "utf-8",
  options: { readonly fatal: boolean; readonly ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Decodes strictly. Throws `BytesError` "malformed-utf8". */
export function parseUtf8(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch (error) {
    throw new BytesError("malformed-utf8", `invalid UTF-8 in ${String(bytes.length)} bytes`, {
      cause: error,
    });
  }
}

/** Decodes with U+FFFD in place of bytes that are not UTF-8: for texts that are only displayed. */
export function parseUtf8Lenient(bytes: Uint8Array): string {
  return lenient.decode(bytes);
}
