import type { KeyObject } from "node:crypto";

/** Exponents in use: the time to check a signature grows with the exponent, up to a thousandfold for long ones. */
const usualExponents: ReadonlySet<bigint> = new Set([3n, 17n, 65_537n]);
const usualCurves: ReadonlySet<string> = new Set(["prime256v1", "secp384r1"]);

interface RsaKeySizes {
  readonly minBits: number;
  readonly maxBits: number;
}

/** Reports whether a key is an RSA key of such a size, with an exponent in use. */
export function isUsualRsaKey(
  { asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject,
  { minBits, maxBits }: RsaKeySizes,
): boolean {
  const { modulusLength: bits = 0, publicExponent: exponent = 0n } = details ?? {};
  return type === "rsa" && bits >= minBits && bits <= maxBits && usualExponents.has(exponent);
}

/** Reports whether clouds sign with such keys: RSA of 2,048 to 4,096 bits, or ECDSA on P-256 or P-384. */
export function isUsualKey(key: KeyObject): boolean {
  if (key.asymmetricKeyType === "ec") {
    return usualCurves.has(key.asymmetricKeyDetails?.namedCurve ?? "");
  }
  return isUsualRsaKey(key, { minBits: 2_048, maxBits: 4_096 });
}
