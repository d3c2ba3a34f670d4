import { describe, expect, it } from "vitest";

import { loadSodium, type Sodium } from "./sodium.ts";

const sodium = needSodium();
const key = new Uint8Array(32).fill(1);
const nonce = new Uint8Array(24);
const message = Uint8Array.of(1, 2, 3);

/** Calls with a length beyond the end of the buffer. */
const calls: Readonly<Record<string, (sodium: Sodium) => unknown>> = {
  "a public key": (library) => library.dh(key, key.subarray(1)),
  "a private key": (library) => library.publicKeyOf(key.subarray(1)),
  "a key of a box": (library) => library.sealSecretBox(key.subarray(1), nonce, message),
  "a nonce of a box": (library) => library.openSecretBox(key, nonce.subarray(1), message),
  "a key of a cipher": (library) => library.chacha20Poly1305(key.subarray(1)),
  "a nonce to seal with": (library) => library.chacha20Poly1305(key).seal(message, nonce),
  "a nonce to open with": (library) => library.chacha20Poly1305(key).open(message, nonce),
  "a message without room for its tag": (library) =>
    library.chacha20Poly1305(key).seal(message, nonce.subarray(12)),
  "a sender of a box": (library) =>
    library.sealBox(message, { nonce, publicKey: key, privateKey: key.subarray(1) }),
  "a receiver of a box": (library) =>
    library.openBox(message, { nonce, publicKey: key.subarray(1), privateKey: key }),
};

describe("libsodium", () => {
  it.each(Object.entries(calls))("refuses another length of %s", (_, call) => {
    expect(() => call(sodium)).toThrow(RangeError);
  });

  it("has boxes that only the two sides open", () => {
    const alice = sodium.createKeyPair();
    const bob = sodium.createKeyPair();
    const eve = sodium.createKeyPair();
    const box = sodium.sealBox(message, { ...alice, nonce, publicKey: bob.publicKey });
    expect(sodium.openBox(box, { ...bob, nonce, publicKey: alice.publicKey })).toEqual(message);
    expect(sodium.openBox(box, { ...eve, nonce, publicKey: alice.publicKey })).toBeUndefined();
    const late = { ...bob, nonce: nonce.with(0, 1), publicKey: alice.publicKey };
    expect(sodium.openBox(box, late)).toBeUndefined();
    for (const length of [0, 15]) {
      const keys = { ...bob, nonce, publicKey: alice.publicKey };
      expect(sodium.openBox(box.subarray(0, length), keys)).toBeUndefined();
    }
  });

  it.each([
    ["no-such-package/addon.node", "Cannot find module 'no-such-package/addon.node'"],
    ["node:path", "node:path is not the addon of libsodium"],
  ])("says why %s is not loaded", (path, reason) => {
    expect(loadSodium(path)).toBe(reason);
  });

  it("refuses to seal a box for a public key of low order", () => {
    const keys = { nonce, publicKey: new Uint8Array(32), privateKey: key };
    expect(() => sodium.sealBox(message, keys)).toThrow("the public key is of low order");
  });
});

function needSodium(): Sodium {
  const found = loadSodium();
  if (typeof found !== "string") return found;
  throw new Error(found);
}
