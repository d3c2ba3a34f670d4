import type { DerpFrame } from "@slipway/wire/derp/frame";
import { encodeDerpFrame } from "@slipway/wire/derp/frame";
import { derpNonceBytes } from "@slipway/wire/derp/header";
import { encodeServerInfo, parseClientInfo } from "@slipway/wire/derp/login";

import type { KeyPair, RelayCrypto } from "./crypto.ts";
import { isZeroKey } from "./keys.ts";

/** A client's login, which proves that it has the private key. */
export interface Login {
  readonly key: Uint8Array;
  /** The proof that it is another relay of the mesh; empty for other clients. */
  readonly meshProof: string;
}

/** Reads a login to the connection with the keys `keys`; undefined for anything else. Throws `DerpError`. */
export function readLogin(
  frame: DerpFrame | undefined,
  { privateKey }: KeyPair,
  crypto: RelayCrypto,
): Login | undefined {
  if (frame?.type !== "client-info" || isZeroKey(frame.key)) return undefined;
  const { key, nonce, box } = frame;
  const json = crypto.openBox(box, { nonce, publicKey: key, privateKey });
  if (json === undefined) return undefined;
  return { key: new Uint8Array(key), meshProof: parseClientInfo(json).meshKey };
}

/**
 * Encodes the answer to the login of a key. The relay requests no rate: it reads more slowly from clients that send
 * too much.
 */
export function encodeLoginAnswer(
  publicKey: Uint8Array,
  { privateKey }: KeyPair,
  crypto: RelayCrypto,
): Uint8Array {
  const info = encodeServerInfo({ bytesPerSecond: undefined, burstBytes: undefined });
  const nonce = crypto.randomBytes(derpNonceBytes);
  const box = crypto.sealBox(info, { nonce, publicKey, privateKey });
  return encodeDerpFrame({ type: "server-info", nonce, box });
}
