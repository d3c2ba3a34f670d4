import { derpKeyBytes } from "@slipway/wire/derp/header";

/** Returns the key at `at` as a text that can be used as the key of a map. */
export function keyText(bytes: Uint8Array, at: number): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString("latin1", at, at + derpKeyBytes);
}

/** Returns whether the key at `at` is `key`. */
export function isKey(bytes: Uint8Array, at: number, key: Uint8Array): boolean {
  for (let index = 0; index < derpKeyBytes; index += 1) {
    if (bytes[at + index] !== key[index]) return false;
  }
  return true;
}

/** Returns whether a key is all zeros, which no node has. */
export function isZeroKey(key: Uint8Array): boolean {
  return key.every((byte) => byte === 0);
}
