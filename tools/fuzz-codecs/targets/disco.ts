import { DiscoError, encodeDiscoMessage, parseDiscoMessage } from "@slipway/wire/disco/message";
import {
  discoOverheadBytes,
  encodeDiscoPacket,
  parseDiscoPacket,
} from "@slipway/wire/disco/packet";

import { expectSame, expectThat, outcomeOf } from "../expectations.ts";
import type { FuzzTarget } from "../target.ts";

const transactionId = Uint8Array.from({ length: 12 }, (_, at) => at);
const source = { address: new Uint8Array(16).fill(7), port: 41_641 };

/** Datagrams of peers about their paths, and the messages in their boxes. */
export const discoTarget: FuzzTarget = {
  name: "disco",
  maxBytes: 2048,
  maxMs: 50,
  words: ["TS\u00f0\u009f\u0092\u00ac", "\u0001\u0001", "\u0002\u0001", "\u0003\0"],
  seeds: () => [
    encodeDiscoPacket({
      senderKey: new Uint8Array(32).fill(1),
      nonce: new Uint8Array(24).fill(2),
      box: new Uint8Array(40).fill(3),
    }),
    encodeDiscoMessage({ type: "ping", transactionId, nodeKey: new Uint8Array(32).fill(4) }, 400),
    encodeDiscoMessage({ type: "ping", transactionId, nodeKey: undefined }),
    encodeDiscoMessage({ type: "pong", transactionId, source }, 400),
    encodeDiscoMessage({ type: "call-me-maybe", endpoints: [source, source] }),
  ],
  check: (input) => {
    checkPacket(input);
    const outcome = outcomeOf(() => parseDiscoMessage(input), DiscoError);
    if (outcome.kind === "refused" || outcome.value === undefined) return;
    const again = parseDiscoMessage(encodeDiscoMessage(outcome.value, 1310));
    expectSame("a message written and read", again, outcome.value);
  },
};

function checkPacket(input: Uint8Array): void {
  const packet = parseDiscoPacket(input);
  if (packet === undefined) return;
  expectThat(input.length >= discoOverheadBytes, "a packet has room for its parts");
  expectSame("a packet written", encodeDiscoPacket(packet), new Uint8Array(input));
}
