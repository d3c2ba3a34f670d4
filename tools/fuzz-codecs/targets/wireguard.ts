import { loadNativeCrypto } from "@slipway/tailnet/node/native-crypto";
import { createSeededCrypto } from "@slipway/testkit/crypto";
import { openInitiation } from "@slipway/wire/wireguard/handshake";
import { createLocalIdentity, createRemoteIdentity } from "@slipway/wire/wireguard/identity";
import { IndexTable } from "@slipway/wire/wireguard/index-table";
import {
  parseCookieReply,
  parseHandshakeResponse,
  parseInitiation,
  transportBytes,
  wireguardMessageKind,
} from "@slipway/wire/wireguard/message";
import {
  encodeCookieReply,
  encodeHandshakeResponse,
  encodeInitiation,
} from "@slipway/wire/wireguard/message";
import { WireguardPeer } from "@slipway/wire/wireguard/wireguard-peer";
import type { IndexEntry } from "@slipway/wire/wireguard/wireguard-peer";

import { expectSame, expectThat } from "../expectations.ts";
import type { FuzzTarget } from "../target.ts";

const crypto = createSeededCrypto(1, await loadNativeCrypto());
const local = createLocalIdentity(crypto, new Uint8Array(32).fill(1));
const remote = createRemoteIdentity(local, crypto.publicKeyOf(new Uint8Array(32).fill(2)));

/** Datagrams at a WireGuard port: fields read back as written, and forgeries have no effect. */
export const wireguardTarget: FuzzTarget = {
  name: "wireguard",
  maxBytes: 1500,
  maxMs: 500,
  words: ["\u0001\0\0\0", "\u0002\0\0\0", "\u0003\0\0\0", "\u0004\0\0\0"],
  seeds: () => [seed(1, 148), seed(2, 92), seed(3, 64), seed(4, 32), seed(4, 1312)],
  check: (datagram) => {
    checkFields(datagram);
    checkForgery(datagram);
    const length = transportBytes(datagram.length);
    expectThat(length >= datagram.length + 32 && length < datagram.length + 48, "the padding");
  },
};

function seed(type: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at === 0 ? type : at < 4 ? 0 : at & 255));
}

function checkFields(datagram: Uint8Array): void {
  const macs = 32;
  switch (wireguardMessageKind(datagram)) {
    case "initiation":
      expectSame(
        "an initiation written again",
        encodeInitiation(parseInitiation(datagram)).subarray(0, -macs),
        new Uint8Array(datagram).subarray(0, -macs),
      );
      break;
    case "response":
      expectSame(
        "a response written again",
        encodeHandshakeResponse(parseHandshakeResponse(datagram)).subarray(0, -macs),
        new Uint8Array(datagram).subarray(0, -macs),
      );
      break;
    case "cookie-reply":
      expectSame(
        "a cookie reply written again",
        encodeCookieReply(parseCookieReply(datagram)),
        new Uint8Array(datagram),
      );
      break;
    case "transport":
      expectThat(datagram.length >= 32, "a transport message has a tag");
      break;
    case undefined:
      break;
  }
}

function checkForgery(datagram: Uint8Array): void {
  if (remote === undefined) throw new Error("no identity");
  const indices = new IndexTable<IndexEntry>((length) => new Uint8Array(length).fill(7));
  const peer = new WireguardPeer({ local, indices, unixOffsetMs: 0 }, remote);
  peer.initiate(0);
  const kind = wireguardMessageKind(datagram);
  if (kind === "initiation") {
    expectSame("a forged initiation", openInitiation(local, parseInitiation(datagram)), undefined);
  }
  if (kind === "response") {
    const response = { ...parseHandshakeResponse(datagram), receiver: 0x0707_0707 };
    expectThat(!peer.receiveResponse(response, 0), "a forged response is refused");
  }
  if (kind === "cookie-reply") {
    expectThat(!peer.receiveCookie(parseCookieReply(datagram), 0), "a forged cookie is refused");
  }
  expectSame("the handshakes", indices.size, 1);
}
