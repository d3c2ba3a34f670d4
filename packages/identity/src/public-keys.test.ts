import { createPublicKey, generateKeyPairSync, type JsonWebKey } from "node:crypto";

import { describe, expect, it } from "vitest";

import { isUsualKey } from "./public-keys.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 }).publicKey;
const rsaOf = (jwk: JsonWebKey) =>
  createPublicKey({ key: { ...rsa.export({ format: "jwk" }), ...jwk }, format: "jwk" });
const exponent = (...bytes: number[]) => rsaOf({ e: Buffer.from(bytes).toString("base64url") });
const modulus = (bits: number) => rsaOf({ n: Buffer.alloc(bits / 8, 0xff).toString("base64url") });
const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve }).publicKey;

describe("a key in use", () => {
  it.each([
    ["RSA", rsa],
    ["the exponent 3", exponent(3)],
    ["4,096 bits", modulus(4_096)],
    ["P-256", ec("prime256v1")],
    ["P-384", ec("secp384r1")],
  ])("has %s", (_, key) => {
    expect(isUsualKey(key)).toBe(true);
  });

  it.each([
    ["a long exponent", exponent(...Buffer.alloc(250, 0xab))],
    ["an exponent of 33 bits", exponent(1, 0, 0, 0, 1)],
    ["the exponent 1", exponent(1)],
    ["1,024 bits", modulus(1_024)],
    ["8,192 bits", modulus(8_192)],
    ["P-521", ec("secp521r1")],
    ["another curve", ec("secp256k1")],
    ["Ed25519", generateKeyPairSync("ed25519").publicKey],
  ])("has not %s", (_, key) => {
    expect(isUsualKey(key)).toBe(false);
  });
});
