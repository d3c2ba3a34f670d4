import { loadNativeCrypto } from "@slipway/tailnet/node/native-crypto";
import { TunnelPair } from "@slipway/testkit/links";

import { expectSame, expectThat } from "../expectations.ts";
import type { FuzzTarget } from "../target.ts";

const crypto = await loadNativeCrypto();

/**
 * Two tunnels with a session, and an attacker between them who modifies traffic: each input is a list of positions
 * and bytes. Nothing is delivered twice, or without having been sent.
 */
export const tunnelTarget: FuzzTarget = {
  name: "tunnel",
  maxBytes: 256,
  maxMs: 500,
  words: ["\u0001\0\0\0", "\u0002\0\0\0", "\u0003\0\0\0", "\u0004\0\0\0"],
  seeds: () => [
    Uint8Array.of(0, 0, 0),
    Uint8Array.of(0, 4, 1, 1, 4, 1, 2, 9, 9),
    Uint8Array.of(2, 30, 1, 3, 16, 0xff, 4, 0, 0),
  ],
  check: async (input) => {
    await using pair = new TunnelPair({ seed: 1, crypto });
    const payload = Uint8Array.of(1, 2, 3);
    pair.send("one", [payload]);
    await pair.clock.advance(1);
    const sent = [...pair.one.sent, ...pair.other.sent];
    const sessions = pair.other.tunnel.sessions;
    for (let at = 0; at + 2 < input.length; at += 3) {
      const [which = 0, place = 0, byte = 0] = input.subarray(at, at + 3);
      const message = sent[which % sent.length]?.slice() ?? new Uint8Array(0);
      const changed = which < 128 ? message : message.subarray(0, place % message.length);
      if (changed.length > 0) changed[place % changed.length] = byte;
      pair.other.tunnel.receive([changed], "attacker", undefined);
    }
    expectSame("the number of delivered packets", pair.other.packets.length, 1);
    expectThat(pair.other.tunnel.sessions <= sessions + 1, "only genuine sessions exist");
    pair.send("one", [payload]);
    await pair.clock.advance(1);
    expectSame("the number of delivered packets", pair.other.packets.length, 2);
  },
};
