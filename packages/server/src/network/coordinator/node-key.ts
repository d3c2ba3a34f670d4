import { IdentityError, parseDiscoKey, parseEncodedNodeKey } from "@slipway/tailnet/identity/key";
import { encodeHex } from "@slipway/wire/bytes/hex";
import type { Node } from "@slipway/wire/protobuf/gen/tailnet_pb";

/**
 * The lowest byte of 2^255 - 19, whose others are maximal; from that value on, a key is a second spelling of another.
 */
const lowestOfPrime = 0xed;

/** The start of the value of a node key: `np` comes before its bytes (docs/protocol/tailnet.md §1.1). */
const nodeKeyStart = "key:6e70";

/**
 * Returns the keys by which others know a node, each in one form: a disco key is text of either case, and X25519
 * ignores the highest bit of a key and takes it modulo 2^255 - 19 (RFC 7748 §5). An invalid key is left as it is.
 * Replicas of earlier releases, which run beside this one during an upgrade, reserve the keys of honest peers in the
 * same form.
 */
export function nodeKeys({ key, disco }: Pick<Node, "key" | "disco">): readonly string[] {
  const keys: string[] = [];
  if (key.length > 0) {
    const digits = canonical(parseEncodedNodeKey, key);
    keys.push(digits === undefined ? `key:${encodeHex(key)}` : reservedNodeKey(digits));
  }
  if (disco !== "") {
    const digits = canonical(parseDiscoKey, disco);
    keys.push(`disco:${digits === undefined ? disco : `discokey:${digits}`}`);
  }
  return keys;
}

/** Returns the value of a node key, which is 64 hexadecimal digits in that one form. */
export function reservedNodeKey(key: string): string {
  return `${nodeKeyStart}${key}`;
}

/** Returns the node key of a value; undefined for a value of another kind. */
export function reservedNodeKeyOf(value: string): string | undefined {
  return /^key:6e70([0-9a-f]{64})$/.exec(value)?.[1];
}

/** Returns the digits of a key in one form; undefined for an invalid key. */
function canonical<T>(parse: (key: T) => Uint8Array, key: T): string | undefined {
  try {
    return encodeHex(reduced(parse(key)));
  } catch (error) {
    if (error instanceof IdentityError) return undefined;
    throw error;
  }
}

/** Returns a key as X25519 reads it: 255 bits, modulo 2^255 - 19. The bytes are little-endian. */
function reduced(key: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(key);
  const [lowest = 0] = bytes;
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) & 0x7f;
  const isSecond =
    lowest >= lowestOfPrime &&
    bytes[last] === 0x7f &&
    bytes.subarray(1, last).every((byte) => byte === 0xff);
  if (!isSecond) return bytes;
  bytes.fill(0);
  bytes[0] = lowest - lowestOfPrime;
  return bytes;
}
