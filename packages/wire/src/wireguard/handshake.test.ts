import { createSeededCrypto } from "@slipway/testkit/crypto";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { MacWriter } from "./cookies.ts";
import { openInitiation, startHandshake } from "./handshake.ts";
import { createLocalIdentity, createRemoteIdentity, type RemoteIdentity } from "./identity.ts";
import { parseHandshakeResponse, parseInitiation } from "./message.ts";
import { encodeTai64n } from "./tai64n.ts";
import { TransportSession } from "./transport-session.ts";

/* The example of docs/protocol/tailnet.md §5.4. */

const crypto = createSeededCrypto(1);
const initiator = createLocalIdentity(crypto, new Uint8Array(32).fill(0x11));
const responder = createLocalIdentity(crypto, new Uint8Array(32).fill(0x22));
const toResponder = defined(createRemoteIdentity(initiator, responder.keys.publicKey));
const toInitiator = defined(createRemoteIdentity(responder, initiator.keys.publicKey));

function defined<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("nothing, wanted something");
  return value;
}

function ephemeral(byte: number) {
  const privateKey = new Uint8Array(32).fill(byte);
  return { privateKey, publicKey: crypto.publicKeyOf(privateKey) };
}

function start(remote: RemoteIdentity = toResponder) {
  return defined(
    startHandshake(initiator, remote, {
      sender: 0x0102_0304,
      ephemeral: ephemeral(0x66),
      timestamp: encodeTai64n(1_767_225_600_000),
    }),
  );
}

function respond(initiation: Uint8Array) {
  const opened = defined(openInitiation(responder, parseInitiation(initiation)));
  const timestamp = defined(opened.readTimestamp(toInitiator));
  const answer = defined(opened.respond(0x0a0b_0c0d, ephemeral(0x77)));
  return { remoteKey: opened.remoteKey, timestamp, ...answer };
}

const initiationHex =
  "0100000004030201219e4d800da968d2a5fcb009c784f4746c7138edb9ee4844b739e830b05cf424" +
  "55796ee41b0c2b97e8da58f84b5cd964349bc2321b53cfb3999dd049b6b9ab8e1b6128747551308486036e3bd896e159" +
  "f9e6fc951fe9cb3aaf8f1e64c90544297b13c606bc9ea9d4a3e2b40f" +
  "3dcea245b5c340cf00bacde5daa3b4c100000000000000000000000000000000";
const responseHex =
  "020000000d0c0b0a040302011cf579aba45a10ba1d1ef06d91fca2aa9ed0a1150515653155405d0b18cb9a67" +
  "4cc73b3deeab2ddd52b4241f3f5faf9621af1032b0b0dc46069b9cc76dfd15bf00000000000000000000000000000000";

it("writes the initiation of the example", () => {
  const { message } = start();
  new MacWriter(crypto, toResponder).write(message, 0);
  expect(encodeHex(message)).toBe(initiationHex);
});

it("writes the response of the example, and agrees on its keys", () => {
  const { remoteKey, timestamp, message, keys } = respond(parseHex(initiationHex));
  new MacWriter(crypto, toInitiator).write(message, 0);
  expect(remoteKey).toEqual(initiator.keys.publicKey);
  expect(encodeHex(timestamp)).toBe("400000006955b90a00000000");
  expect(encodeHex(message)).toBe(responseHex);
  const first = "48c538b2e953f2b5704acbe14e416089077227e3216b24ea96ece3b13ffc13e6";
  const second = "10509c54ebdfc13aca7d4da9d83d90b4c90933c9b31567fe3a012730bf85384f";
  expect(encodeHex(keys.receive)).toBe(first);
  expect(encodeHex(keys.send)).toBe(second);
  const ours = defined(start().pending.finish(parseHandshakeResponse(parseHex(responseHex))));
  expect(ours).toEqual({ send: keys.receive, receive: keys.send });
});

it("keeps the path open with the message of the example", () => {
  const keys = defined(start().pending.finish(parseHandshakeResponse(parseHex(responseHex))));
  const session = new TransportSession(crypto, keys, {
    isInitiator: true,
    localIndex: 0x0102_0304,
    remoteIndex: 0x0a0b_0c0d,
    createdAt: 0,
  });
  expect(encodeHex(session.sealPacket(new Uint8Array(0)))).toBe(
    "040000000d0c0b0a0000000000000000a2a62a3dd0f07de6844ede33becfd313",
  );
});

it("refuses an initiation with any byte of its fields changed", () => {
  const message = parseHex(initiationHex);
  for (let at = 8; at < 116; at += 1) {
    const forged = message.with(at, ~(message[at] ?? 0));
    const opened = openInitiation(responder, parseInitiation(forged));
    expect(opened?.readTimestamp(toInitiator)).toBeUndefined();
  }
});

it("refuses a response with any byte of its fields changed, and still takes the true one", () => {
  const message = parseHex(responseHex);
  const { pending } = start();
  // The highest bit of a public key is ignored, so the lowest is changed.
  for (let at = 12; at < 60; at += 1) {
    const forged = message.with(at, (message[at] ?? 0) ^ 1);
    expect(pending.finish(parseHandshakeResponse(forged))).toBeUndefined();
  }
  expect(pending.finish(parseHandshakeResponse(message))).toBeDefined();
});

it("refuses keys of low order", () => {
  const zeros = new Uint8Array(32);
  expect(createRemoteIdentity(initiator, zeros)).toBeUndefined();
  const initiation = parseHex(initiationHex);
  initiation.set(zeros, 8);
  expect(openInitiation(responder, parseInitiation(initiation))).toBeUndefined();
  const response = parseHex(responseHex);
  response.set(zeros, 12);
  expect(start().pending.finish(parseHandshakeResponse(response))).toBeUndefined();
});

it("refuses an initiation by somebody who claims another's key", () => {
  const opened = defined(openInitiation(responder, parseInitiation(parseHex(initiationHex))));
  const other = defined(createRemoteIdentity(responder, ephemeral(0x55).publicKey));
  expect(opened.readTimestamp(other)).toBeUndefined();
});
