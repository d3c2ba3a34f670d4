import fc from "fast-check";
import { expect, it } from "vitest";

import {
  cookieReplyBytes,
  encodeCookieReply,
  encodeHandshakeResponse,
  encodeInitiation,
  initiationBytes,
  minTransportBytes,
  parseCookieReply,
  parseHandshakeResponse,
  parseInitiation,
  responseBytes,
  transportBytes,
  transportCounter,
  transportReceiver,
  wireguardMessageKind,
  writeTransportHeader,
} from "./message.ts";

const indices = fc.nat(0xffff_ffff);

function bytes(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

it("tells the kinds apart by type and length", () => {
  const lengths = [
    [1, initiationBytes, "initiation"],
    [2, responseBytes, "response"],
    [3, cookieReplyBytes, "cookie-reply"],
    [4, minTransportBytes, "transport"],
  ] as const;
  for (const [type, length, kind] of lengths) {
    const message = new Uint8Array(length).with(0, type);
    expect(wireguardMessageKind(message)).toBe(kind);
    for (let cut = 0; cut < length; cut += 1) {
      expect(wireguardMessageKind(message.subarray(0, cut))).toBeUndefined();
    }
    const longer = new Uint8Array(length + 1).with(0, type);
    expect(wireguardMessageKind(longer)).toBe(type === 4 ? kind : undefined);
    expect(wireguardMessageKind(message.with(1, 1))).toBeUndefined();
    expect(wireguardMessageKind(message.with(3, 1))).toBeUndefined();
  }
  expect(wireguardMessageKind(new Uint8Array(148).with(0, 5))).toBeUndefined();
  expect(wireguardMessageKind(new Uint8Array(148))).toBeUndefined();
});

it("reads the handshake messages that it has written", () => {
  fc.assert(
    fc.property(indices, indices, bytes(32), bytes(48), (sender, receiver, ephemeral, rest) => {
      const initiation = {
        sender,
        ephemeral,
        encryptedStatic: rest,
        encryptedTimestamp: rest.subarray(0, 28),
      };
      expect(parseInitiation(encodeInitiation(initiation))).toEqual(initiation);
      const response = { sender, receiver, ephemeral, encryptedEmpty: rest.subarray(0, 16) };
      expect(parseHandshakeResponse(encodeHandshakeResponse(response))).toEqual(response);
      const reply = { receiver, nonce: rest.subarray(0, 24), encryptedCookie: ephemeral };
      expect(parseCookieReply(encodeCookieReply(reply))).toEqual(reply);
    }),
  );
});

it("reads the transport headers that it has written", () => {
  fc.assert(
    fc.property(indices, fc.maxSafeNat(), (receiver, counter) => {
      const message = new Uint8Array(minTransportBytes);
      writeTransportHeader(message, receiver, counter);
      expect(wireguardMessageKind(message)).toBe("transport");
      expect(transportReceiver(message)).toBe(receiver);
      expect(transportCounter(message)).toBe(counter);
    }),
  );
});

it("pads packets to 16 bytes, as far as 1500", () => {
  const lengths = [0, 1, 16, 17, 1280, 1281, 1490, 1500, 1501];
  const padded = lengths.map((length) => transportBytes(length) - minTransportBytes);
  expect(padded).toEqual([0, 16, 16, 32, 1280, 1296, 1500, 1500, 1501]);
});
