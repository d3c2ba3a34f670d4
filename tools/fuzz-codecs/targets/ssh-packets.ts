import { createCipheriv } from "node:crypto";

import { GcmOpener, type GcmState, SshError } from "@slipway/agent/testing";
import { encodeHex } from "@slipway/wire/bytes/hex";

import { chunksOf, expectSame, expectThat, outcomeOf } from "../expectations.ts";
import { type FuzzTarget, utf8 } from "../target.ts";

const algorithm = "aes-256-gcm";
const key = new Uint8Array(32);
const sealed = 1;

/**
 * The encrypted packets of an SSH connection (RFC 5647 §7): raw bytes or, after a byte 1, the plaintext of one packet
 * of a peer with the key. The same bytes in different chunks give the same payloads.
 */
export const sshPacketsTarget: FuzzTarget = {
  name: "ssh-packets",
  maxBytes: 64 * 1024,
  maxMs: 100,
  words: ["\0\0\0\u0010", "\0\0\u0080\0", "\u0004", "\u0005"],
  seeds: () => [
    Uint8Array.of(0, ...seal(Uint8Array.of(4, ...utf8("a payload..")))),
    Uint8Array.of(sealed, 4, ...utf8("a payload..")),
    Uint8Array.of(sealed, 10, 5, ...utf8("and padding 12")),
    Uint8Array.of(sealed, 255, ...new Uint8Array(31)),
  ],
  check: (input) => {
    const body = input.subarray(1);
    const bytes = input[0] === sealed ? seal(body) : body;
    const whole = open([bytes]);
    const opened = whole.payloads.join("").length / 2;
    expectThat(opened <= bytes.length, "payloads are shorter than their packets");
    expectSame("the payloads with other chunks", open(chunksOf(bytes, input.length)), whole);
  },
};

function newState(): GcmState {
  return { algorithm, key, nonce: new Uint8Array(12), sequence: 0 };
}

/** Seals the first packet of a connection. */
function seal(inside: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(inside.length);
  const cipher = createCipheriv(algorithm, key, new Uint8Array(12));
  cipher.setAAD(length);
  return Buffer.concat([length, cipher.update(inside), cipher.final(), cipher.getAuthTag()]);
}

function open(chunks: readonly Uint8Array[]): {
  readonly payloads: readonly string[];
  readonly isRefused: boolean;
} {
  const payloads: string[] = [];
  const opener = new GcmOpener(newState(), (payload) => void payloads.push(encodeHex(payload)));
  const outcome = outcomeOf(() => {
    for (const chunk of chunks) opener.decrypt(Buffer.from(chunk), 0, chunk.length);
  }, SshError);
  return { payloads, isRefused: outcome.kind === "refused" };
}
