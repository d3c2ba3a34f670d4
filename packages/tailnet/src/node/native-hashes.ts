import { hash } from "node:crypto";

import type { TailnetCrypto } from "../crypto/crypto.ts";

const blockBytes = 64;
const innerPad = 0x36;
const outerPad = 0x5c;

/**
 * BLAKE2s by OpenSSL, which has no keyed form. The JavaScript of `@noble` takes three times as long, and ten times before
 * V8 has compiled it: a third of the first handshake of a process.
 */
export const nativeHashes: Pick<TailnetCrypto, "hash" | "hmac"> = { hash: blake2s, hmac };

function blake2s(bytes: Uint8Array): Uint8Array {
  const { buffer, byteOffset, length } = hash("blake2s256", bytes, "buffer");
  return new Uint8Array(buffer, byteOffset, length);
}

/** HMAC (RFC 2104) by whole hashes, which cost a quarter of `createHmac` for messages as short as those of handshakes. */
function hmac(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const short = key.length > blockBytes ? blake2s(key) : key;
  return blake2s(padded(short, outerPad, blake2s(padded(short, innerPad, bytes))));
}

/** Returns the block of the key, combined with the pad, and the bytes after it. */
function padded(key: Uint8Array, pad: number, bytes: Uint8Array): Uint8Array {
  const joined = new Uint8Array(blockBytes + bytes.length).fill(pad, 0, blockBytes);
  for (const [index, byte] of key.entries()) joined[index] = byte ^ pad;
  joined.set(bytes, blockBytes);
  return joined;
}
