import { createHash } from "node:crypto";

import { encodeHex, parseHex } from "@slipway/wire/bytes/hex";
import { paddedDiscoBytes } from "@slipway/wire/disco/message";
import { parseDiscoPacket } from "@slipway/wire/disco/packet";
import { expect, it } from "vitest";

import { nobleCrypto } from "../crypto/noble-crypto.ts";
import { keyText } from "../identity/key.ts";
import { DiscoSealer } from "./disco-sealer.ts";

function pairOf(byte: number): { readonly publicKey: Uint8Array; readonly privateKey: Uint8Array } {
  const privateKey = new Uint8Array(32).fill(byte);
  return { privateKey, publicKey: nobleCrypto.publicKeyOf(privateKey) };
}

const ours = pairOf(0x44);
const theirs = pairOf(0x55);
const ping = {
  type: "ping" as const,
  transactionId: parseHex("000102030405060708090a0b"),
  nodeKey: pairOf(0x11).publicKey,
};

it("seals the ping of the specification", () => {
  const crypto = {
    ...nobleCrypto,
    randomBytes: (count: number) => new Uint8Array(count).fill(0xcc),
  };
  const sealer = new DiscoSealer(crypto, ours);
  sealer.add(theirs.publicKey);
  const packet = sealer.seal(theirs.publicKey, ping, paddedDiscoBytes) ?? new Uint8Array();
  expect(packet.length).toBe(1310);
  expect(createHash("sha256").update(packet).digest("hex")).toBe(
    "d49fb0c90ce9c3bdcf9d7213669a311eabb2ae44cda843e76b5b795b63fa8a68",
  );
});

it("opens what a known peer sealed, and nothing else", () => {
  const sealer = new DiscoSealer(nobleCrypto, ours);
  const peer = new DiscoSealer(nobleCrypto, theirs);
  peer.add(ours.publicKey);
  const packet = peer.seal(ours.publicKey, ping, 0) ?? new Uint8Array();
  expect(sealer.open(packet)).toBeUndefined();
  sealer.add(theirs.publicKey);
  expect(sealer.open(packet)).toEqual({ senderKey: keyText(theirs.publicKey), message: ping });
  for (let at = 6; at < packet.length; at += 1) {
    expect(sealer.open(packet.with(at, (packet[at] ?? 0) ^ 1))).toBeUndefined();
  }
  expect(sealer.open(packet.subarray(6))).toBe("other");
});

it("forgets a peer when the last of its users is gone", () => {
  const sealer = new DiscoSealer(nobleCrypto, ours);
  const sealed = (): boolean => sealer.seal(theirs.publicKey, ping, 0) !== undefined;
  sealer.add(theirs.publicKey);
  sealer.add(theirs.publicKey);
  sealer.remove(theirs.publicKey);
  expect(sealed()).toBe(true);
  sealer.remove(theirs.publicKey);
  expect(sealed()).toBe(false);
});

it("has nothing to say to a key of low order", () => {
  const sealer = new DiscoSealer(nobleCrypto, ours);
  const lowOrder = new Uint8Array(32).fill(0).with(0, 1);
  sealer.add(lowOrder);
  expect(sealer.seal(lowOrder, ping, 0)).toBeUndefined();
});

it("ignores a sealed message that it does not understand", () => {
  const sealer = new DiscoSealer(nobleCrypto, ours);
  sealer.add(theirs.publicKey);
  const key = nobleCrypto.boxKey(theirs.privateKey, ours.publicKey) ?? new Uint8Array(32);
  const nonce = new Uint8Array(24);
  for (const hex of ["", "01", "0101", "0400", "030001"]) {
    const box = nobleCrypto.sealBox(key, nonce, parseHex(hex));
    const packet = parseHex(
      `5453f09f92ac${encodeHex(theirs.publicKey)}${encodeHex(nonce)}${encodeHex(box)}`,
    );
    expect(parseDiscoPacket(packet)).toBeDefined();
    expect(sealer.open(packet)).toBeUndefined();
  }
});
