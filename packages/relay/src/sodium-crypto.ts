import sodium from "sodium-native";

import type { RelayCrypto } from "./crypto.ts";

/** The cryptography of libsodium. */
export const sodiumCrypto: RelayCrypto = {
  createKeyPair: () => {
    const publicKey = Buffer.alloc(sodium.crypto_box_PUBLICKEYBYTES);
    const privateKey = Buffer.alloc(sodium.crypto_box_SECRETKEYBYTES);
    sodium.crypto_box_keypair(publicKey, privateKey);
    return { publicKey, privateKey };
  },
  randomBytes: (length) => {
    const bytes = Buffer.alloc(length);
    sodium.randombytes_buf(bytes);
    return bytes;
  },
  sealBox: (message, { nonce, publicKey, privateKey }) => {
    const box = Buffer.alloc(sodium.crypto_box_MACBYTES + message.length);
    sodium.crypto_box_easy(
      box,
      asBuffer(message),
      asBuffer(nonce),
      asBuffer(publicKey),
      asBuffer(privateKey),
    );
    return box;
  },
  openBox: (box, { nonce, publicKey, privateKey }) => {
    if (box.length <= sodium.crypto_box_MACBYTES) return undefined;
    const message = Buffer.alloc(box.length - sodium.crypto_box_MACBYTES);
    const isOpen = sodium.crypto_box_open_easy(
      message,
      asBuffer(box),
      asBuffer(nonce),
      asBuffer(publicKey),
      asBuffer(privateKey),
    );
    return isOpen ? message : undefined;
  },
};

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
