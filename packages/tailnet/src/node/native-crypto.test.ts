import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { TailnetCrypto } from "../crypto/crypto.ts";
import { nobleCrypto } from "../crypto/noble-crypto.ts";
import { loadNativeCrypto } from "./native-crypto.ts";
import { nodeCrypto } from "./node-crypto.ts";

const native = await loadNativeCrypto();

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}

function toHex(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString("hex");
}

/** Returns the message in a buffer with room for its tag, at an offset in a larger one. */
function withRoom(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(message.length + 27).subarray(11);
  bytes.set(message);
  return bytes;
}

const sunscreen = Uint8Array.from(
  Buffer.from(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  ),
);
const key = hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
const additional = hex("50515253c0c1c2c3c4c5c6c7");

const alicePrivate = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
const alicePublic = hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
const bobPrivate = hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
const bobPublic = hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");

it("loads libsodium where it has a build", () => {
  expect(native).not.toBe(nodeCrypto);
});

describe.each([
  ["@noble", nobleCrypto],
  ["libsodium", native],
  ["Node.js", nodeCrypto],
] as const)("the cryptography of %s", (_, crypto: TailnetCrypto) => {
  it("encrypts as RFC 8439 §2.8.2 does", () => {
    const nonce = hex("070000004041424344454647");
    const cipher = crypto.chacha20Poly1305(key);
    const bytes = withRoom(sunscreen);
    cipher.seal(bytes, nonce, additional);
    expect(toHex(bytes)).toBe(
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b" +
        "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc" +
        "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691",
    );
    expect(cipher.open(bytes, nonce, additional)).toBe(true);
    expect(bytes.subarray(0, -16)).toEqual(sunscreen);
  });

  it("encrypts as the draft of XChaCha20 §A.3.1 does", () => {
    const nonce = hex("404142434445464748494a4b4c4d4e4f5051525354555657");
    const cipher = crypto.xchacha20Poly1305(key);
    const bytes = withRoom(sunscreen);
    cipher.seal(bytes, nonce, additional);
    expect(toHex(bytes)).toBe(
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39" +
        "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9" +
        "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49",
    );
    expect(cipher.open(bytes, nonce, additional)).toBe(true);
    expect(bytes.subarray(0, -16)).toEqual(sunscreen);
  });

  it("exchanges keys as RFC 7748 §6.1 does", () => {
    expect(crypto.publicKeyOf(alicePrivate)).toEqual(alicePublic);
    expect(crypto.publicKeyOf(bobPrivate)).toEqual(bobPublic);
    const shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    expect(toHex(crypto.dh(alicePrivate, bobPublic))).toBe(shared);
    expect(toHex(crypto.dh(bobPrivate, alicePublic))).toBe(shared);
  });

  it("hashes as RFC 7693 §B does", () => {
    expect(toHex(crypto.hash(Uint8Array.from(Buffer.from("abc"))))).toBe(
      "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982",
    );
  });

  it("authenticates by the key", () => {
    const message = Uint8Array.of(1);
    const other = key.with(0, 1);
    expect(crypto.mac(key, message)).toHaveLength(16);
    expect(crypto.hmac(key, message)).toHaveLength(32);
    expect(crypto.mac(key, message)).not.toEqual(crypto.mac(other, message));
    expect(crypto.hmac(key, message)).not.toEqual(crypto.hmac(other, message));
  });

  it("seals the box of NaCl's own test", () => {
    const nonce = hex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
    const message = hex(
      "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c6129" +
        "6cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde" +
        "048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705",
    );
    const boxKey = crypto.boxKey(alicePrivate, bobPublic) ?? new Uint8Array(0);
    const box = crypto.sealBox(boxKey, nonce, message);
    expect(toHex(box)).toBe(
      "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a" +
        "c0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae" +
        "90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74" +
        "e355a5",
    );
    expect(crypto.openBox(boxKey, nonce, box)).toEqual(message);
    expect(crypto.boxKey(bobPrivate, alicePublic)).toEqual(boxKey);
  });

  it("refuses public keys of low order", () => {
    for (const lowOrder of [new Uint8Array(32), new Uint8Array(32).with(0, 1)]) {
      expect(crypto.dh(alicePrivate, lowOrder)).toBeUndefined();
      expect(crypto.boxKey(alicePrivate, lowOrder)).toBeUndefined();
    }
  });

  it("refuses a box and a message with any byte changed, and what is too short for a tag", () => {
    const nonce = new Uint8Array(24);
    const box = crypto.sealBox(key, nonce, sunscreen);
    const sealed = withRoom(sunscreen);
    const cipher = crypto.chacha20Poly1305(key);
    cipher.seal(sealed, nonce.subarray(12));
    const long = withRoom(sunscreen);
    const longCipher = crypto.xchacha20Poly1305(key);
    longCipher.seal(long, nonce);
    for (let at = 0; at < box.length; at += 1) {
      expect(crypto.openBox(key, nonce, box.with(at, ~(box[at] ?? 0)))).toBeUndefined();
      expect(cipher.open(sealed.with(at, ~(sealed[at] ?? 0)), nonce.subarray(12))).toBe(false);
      expect(longCipher.open(long.with(at, ~(long[at] ?? 0)), nonce)).toBe(false);
    }
    for (let length = 0; length < 16; length += 1) {
      expect(crypto.openBox(key, nonce, new Uint8Array(length))).toBeUndefined();
      expect(cipher.open(new Uint8Array(length), nonce.subarray(12))).toBe(false);
      expect(longCipher.open(new Uint8Array(length), nonce)).toBe(false);
    }
  });

  it("refuses a message with other additional data or nonce", () => {
    const nonce = new Uint8Array(12);
    const cipher = crypto.chacha20Poly1305(key);
    const seal = (): Uint8Array => {
      const bytes = withRoom(sunscreen);
      cipher.seal(bytes, nonce, additional);
      return bytes;
    };
    expect(cipher.open(seal(), nonce, additional.with(0, 1))).toBe(false);
    expect(cipher.open(seal(), nonce)).toBe(false);
    expect(cipher.open(seal(), nonce.with(0, 1), additional)).toBe(false);
    expect(cipher.open(seal(), nonce, additional)).toBe(true);
  });

  it("encrypts nothing but what it was given", () => {
    const whole = new Uint8Array(100).fill(7);
    const bytes = whole.subarray(20, 68);
    const cipher = crypto.chacha20Poly1305(key);
    cipher.seal(bytes, new Uint8Array(12));
    expect(cipher.open(bytes, new Uint8Array(12))).toBe(true);
    bytes.subarray(32).fill(7);
    expect(whole).toEqual(new Uint8Array(100).fill(7));
  });

  it("makes keys that fit each other, and no two the same", () => {
    const one = crypto.createKeyPair();
    const other = crypto.createKeyPair();
    expect(crypto.publicKeyOf(one.privateKey)).toEqual(one.publicKey);
    expect(one.privateKey).not.toEqual(other.privateKey);
    expect(crypto.dh(one.privateKey, other.publicKey)).toEqual(
      crypto.dh(other.privateKey, one.publicKey),
    );
    expect(crypto.randomBytes(32)).not.toEqual(crypto.randomBytes(32));
  });
});

const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });
const nonces = fc.uint8Array({ minLength: 24, maxLength: 24 });
const messages = fc.uint8Array({ maxLength: 1500 });

it.each([
  ["libsodium", native],
  ["Node.js", nodeCrypto],
] as const)("computes by %s what @noble computes", (_, crypto: TailnetCrypto) => {
  const both = [crypto, nobleCrypto];
  fc.assert(
    fc.property(keys, nonces, messages, messages, (secret, nonce, message, data) => {
      const [ours, theirs] = both.map((one) => {
        const short = withRoom(message);
        one.chacha20Poly1305(secret).seal(short, nonce.subarray(12), data);
        const long = withRoom(message);
        one.xchacha20Poly1305(secret).seal(long, nonce, data);
        const box = one.sealBox(secret, nonce, message);
        const [hash, mac] = [one.hash(message), one.mac(secret, message)];
        return { short, long, box, hash, mac, hmac: one.hmac(secret, message) };
      });
      expect(ours).toEqual(theirs);
      expect(crypto.openBox(secret, nonce, theirs?.box ?? message)).toEqual(message);
    }),
    { numRuns: 50 },
  );
  for (const length of [0, 1, 63, 64, 65, 200]) {
    const longKey = new Uint8Array(length).fill(length);
    expect(crypto.hmac(longKey, sunscreen)).toEqual(nobleCrypto.hmac(longKey, sunscreen));
  }
  fc.assert(
    fc.property(keys, keys, (one, other) => {
      const publicKey = crypto.publicKeyOf(other);
      expect(publicKey).toEqual(nobleCrypto.publicKeyOf(other));
      expect(crypto.dh(one, publicKey)).toEqual(nobleCrypto.dh(one, publicKey));
      expect(crypto.boxKey(one, publicKey)).toEqual(nobleCrypto.boxKey(one, publicKey));
    }),
    { numRuns: 20 },
  );
});
