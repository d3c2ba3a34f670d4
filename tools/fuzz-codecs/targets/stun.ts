import {
  encodeBindingRequest,
  encodeBindingResponse,
  isStun,
  parseStunMessage,
  StunError,
} from "@slipway/wire/stun/message";

import { expectSame, expectThat, outcomeOf } from "../expectations.ts";
import type { FuzzTarget } from "../target.ts";

const transactionId = Uint8Array.from({ length: 12 }, (_, at) => at);

/** Datagrams that arrive where STUN is expected. */
export const stunTarget: FuzzTarget = {
  name: "stun",
  maxBytes: 1500,
  maxMs: 50,
  words: ["!\u0012\u00a4B", "\0\u0020\0\u0008\0\u0001", "\u0080\u0028\0\u0004"],
  seeds: () => [
    encodeBindingRequest(transactionId, "tailnode"),
    encodeBindingResponse(transactionId, { address: Uint8Array.of(192, 0, 2, 1), port: 41_641 }),
    encodeBindingResponse(transactionId, { address: new Uint8Array(16).fill(7), port: 1 }),
  ],
  check: (datagram) => {
    const outcome = outcomeOf(() => parseStunMessage(datagram), StunError);
    if (outcome.kind === "refused" || outcome.value === undefined) return;
    expectThat(isStun(datagram), "a message is recognized as STUN");
    const message = outcome.value;
    if (message.type === "binding-request" || message.mapped === undefined) return;
    const again = encodeBindingResponse(message.transactionId, message.mapped);
    expectSame("a response written and read", parseStunMessage(again), message);
  },
};
