import type { TailnetCrypto } from "@slipway/tailnet/crypto/crypto";
import { nobleCrypto } from "@slipway/tailnet/crypto/noble-crypto";

import { Random } from "./random.ts";

/** Creates cryptography whose keys, nonces and jitter follow from a seed; `below` does the rest (default: `@noble`). */
export function createSeededCrypto(
  seed: number,
  below: TailnetCrypto = nobleCrypto,
): TailnetCrypto {
  const random = new Random(seed);
  const randomBytes = (length: number): Uint8Array =>
    Uint8Array.from({ length }, () => random.below(256));
  return {
    ...below,
    randomBytes,
    createKeyPair: () => {
      const privateKey = randomBytes(32);
      return { privateKey, publicKey: below.publicKeyOf(privateKey) };
    },
  };
}
