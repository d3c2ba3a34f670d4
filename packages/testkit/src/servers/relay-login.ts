import { type KeyPair, sodiumCrypto } from "@slipway/relay";
import { encodeDerpFrame } from "@slipway/wire/derp/frame";
import { encodeClientInfo } from "@slipway/wire/derp/login";

/** Encodes the login of a client at a relay whose key is known. */
export function encodeRelayLogin(
  relayKey: Uint8Array,
  { publicKey: key, privateKey }: KeyPair,
): Uint8Array {
  const nonce = sodiumCrypto.randomBytes(24);
  const info = encodeClientInfo({ meshKey: "", canAckPings: true });
  const box = sodiumCrypto.sealBox(info, { nonce, publicKey: relayKey, privateKey });
  return encodeDerpFrame({ type: "client-info", key, nonce, box });
}
