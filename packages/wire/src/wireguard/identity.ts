import { joinBytes } from "../bytes/join.ts";
import { encodeUtf8 } from "../bytes/utf8.ts";
import type { Hashes, KeyPair, WireguardCrypto } from "./crypto.ts";

const mac1Label = encodeUtf8("mac1----");
const cookieLabel = encodeUtf8("cookie--");

/** Our side: the static keys, and the values derived from them. */
export interface LocalIdentity {
  readonly crypto: WireguardCrypto;
  readonly keys: KeyPair;
  /** The key of the first MAC of all messages to us. */
  readonly mac1Key: Uint8Array;
  /** The key of the cookies that we send. */
  readonly cookieKey: Uint8Array;
}

/** A peer: its static key, and the values derived from it. */
export interface RemoteIdentity {
  readonly publicKey: Uint8Array;
  /** The result of the key exchange of both static keys. */
  readonly staticSecret: Uint8Array;
  readonly mac1Key: Uint8Array;
  readonly cookieKey: Uint8Array;
}

export function createLocalIdentity(
  crypto: WireguardCrypto,
  privateKey: Uint8Array,
): LocalIdentity {
  const publicKey = crypto.publicKeyOf(privateKey);
  return { crypto, keys: { publicKey, privateKey }, ...labelledKeys(crypto, publicKey) };
}

/** Returns the identity of a peer; undefined for a key of low order, with which no secret can be shared. */
export function createRemoteIdentity(
  { crypto, keys }: LocalIdentity,
  publicKey: Uint8Array,
): RemoteIdentity | undefined {
  const staticSecret = crypto.dh(keys.privateKey, publicKey);
  if (staticSecret === undefined) return undefined;
  return { publicKey, staticSecret, ...labelledKeys(crypto, publicKey) };
}

function labelledKeys(
  crypto: Hashes,
  publicKey: Uint8Array,
): { readonly mac1Key: Uint8Array; readonly cookieKey: Uint8Array } {
  return {
    mac1Key: crypto.hash(joinBytes([mac1Label, publicKey])),
    cookieKey: crypto.hash(joinBytes([cookieLabel, publicKey])),
  };
}
