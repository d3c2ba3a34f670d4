import { createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";

import { encodeNodeKey, formatDiscoKey } from "@slipway/tailnet/identity/key";
import fc from "fast-check";
import { expect, it } from "vitest";

import { nodeKeys, reservedNodeKey, reservedNodeKeyOf } from "./node-key.ts";

const prime = 2n ** 255n - 19n;

/** Returns a number as 32 bytes, little-endian. */
function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, at) => Number((value >> BigInt(8 * at)) & 0xffn));
}

function keysOf(key: Uint8Array): readonly string[] {
  return nodeKeys({ key: encodeNodeKey(key), disco: formatDiscoKey(key) });
}

it("knows every spelling of one key as that key", () => {
  const value = fc.oneof(fc.bigInt(1n, 18n), fc.bigInt(19n, prime - 1n));
  fc.assert(
    fc.property(value, (number) => {
      const keys = keysOf(littleEndian(number));
      expect(keysOf(littleEndian(number + 2n ** 255n))).toEqual(keys);
      const second = number < 19n ? number + prime : number;
      expect(keysOf(littleEndian(second))).toEqual(keys);
      const disco = formatDiscoKey(littleEndian(number));
      const upper = disco.replace(/[0-9a-f]{64}$/, (digits) => digits.toUpperCase());
      expect(nodeKeys({ key: new Uint8Array(), disco: upper })).toEqual(keys.slice(1));
    }),
  );
});

it("takes for one key what X25519 takes for one", () => {
  const { privateKey } = generateKeyPairSync("x25519");
  const shared = (x: Uint8Array): string => {
    const key = { kty: "OKP", crv: "X25519", x: Buffer.from(x).toString("base64url") };
    const publicKey = createPublicKey({ key, format: "jwk" });
    return diffieHellman({ privateKey, publicKey }).toString("hex");
  };
  const spellings = [littleEndian(9n), littleEndian(9n + 2n ** 255n), littleEndian(9n + prime)];
  expect(new Set(spellings.map(shared)).size).toBe(1);
  expect(new Set(spellings.flatMap(keysOf)).size).toBe(2);
});

it("knows different keys apart, and lets what is no key stand for itself", () => {
  const keys = [0x55, 0x56].flatMap((byte) => keysOf(new Uint8Array(32).fill(byte)));
  expect(new Set(keys).size).toBe(4);
  expect(nodeKeys({ key: Uint8Array.of(1), disco: "CLIENT x" })).toEqual([
    "key:01",
    "disco:CLIENT x",
  ]);
  expect(nodeKeys({ key: new Uint8Array(), disco: "" })).toEqual([]);
});

it("has the keys of honest peers in the form in which earlier releases reserve them", () => {
  const digits = "0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20";
  expect(keysOf(Buffer.from(digits, "hex"))).toEqual([
    `key:6e70${digits}`,
    `disco:discokey:${digits}`,
  ]);
  expect(reservedNodeKeyOf(reservedNodeKey(digits))).toBe(digits);
  expect(reservedNodeKeyOf(`key:${digits}`)).toBe(undefined);
});
