import { encodeHex, parseHex } from "@slipway/wire/bytes/hex";
import { joinBytes } from "@slipway/wire/bytes/join";

/*
 *  nodekey:<64 digits>     a node key as text          np | 32 bytes    a node key in a message
 *  discokey:<64 digits>    a disco key as text
 *  docs/protocol/tailnet.md §1.1
 */
const keyBytes = 32;
const nodePrefix = "nodekey:";
const discoPrefix = "discokey:";
const binaryPrefix = Uint8Array.of(0x6e, 0x70);

/** The length to which an error truncates a refused text. */
const maxQuotedCharacters = 80;

/** A text or bytes that are not a peer's key. The same input fails again. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
  readonly code = "malformed-key";
  readonly retryable = false;
}

/** Returns the lower-case digits of a key, the form in which maps use it. */
export function keyText(key: Uint8Array): string {
  return encodeHex(key);
}

/** Formats a public node key as text. */
export function formatNodeKey(key: Uint8Array): string {
  return nodePrefix + encodeHex(key);
}

/** Parses the text of a public node key into its 32 bytes. Throws `IdentityError` "malformed-key". */
export function parseNodeKey(text: string): Uint8Array {
  return parseKey(text, "node key", nodePrefix);
}

/** Formats a public disco key as text. */
export function formatDiscoKey(key: Uint8Array): string {
  return discoPrefix + encodeHex(key);
}

/** Parses the text of a public disco key into its 32 bytes. Throws `IdentityError` "malformed-key". */
export function parseDiscoKey(text: string): Uint8Array {
  return parseKey(text, "disco key", discoPrefix);
}

/** Encodes a public node key for a message of the coordinator. */
export function encodeNodeKey(key: Uint8Array): Uint8Array {
  return joinBytes([binaryPrefix, key]);
}

/** Parses a public node key of a message into a copy of its 32 bytes. Throws `IdentityError` "malformed-key". */
export function parseEncodedNodeKey(bytes: Uint8Array): Uint8Array {
  const isPrefixed = binaryPrefix.every((byte, at) => bytes[at] === byte);
  if (!isPrefixed || bytes.length !== binaryPrefix.length + keyBytes) {
    throw new IdentityError(
      `invalid node key (got ${String(bytes.length)} bytes, wanted "np" and ${String(keyBytes)} bytes)`,
    );
  }
  return refuseZero("node key", new Uint8Array(bytes.subarray(binaryPrefix.length)));
}

function parseKey(text: string, name: string, prefix: string): Uint8Array {
  const digits = text.slice(prefix.length);
  if (!text.startsWith(prefix) || !/^[0-9a-f]{64}$/i.test(digits)) {
    throw new IdentityError(
      `invalid ${name} ${JSON.stringify(text.slice(0, maxQuotedCharacters))} (wanted "${prefix}" and 64 hexadecimal digits)`,
    );
  }
  return refuseZero(name, parseHex(digits));
}

/** Refuses the key of all zeros: a peer with that key is never installed (docs/protocol/tailnet.md §1.1). */
function refuseZero(name: string, key: Uint8Array): Uint8Array {
  if (key.some((byte) => byte !== 0)) return key;
  throw new IdentityError(`invalid ${name} (all zeros, wanted a public key)`);
}
