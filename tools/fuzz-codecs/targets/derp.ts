import { encodeHex } from "@slipway/wire/bytes/hex";
import { DerpError } from "@slipway/wire/derp/errors";
import { encodeDerpFrame, parseDerpFrame } from "@slipway/wire/derp/frame";
import { DerpFrameReader } from "@slipway/wire/derp/frame-reader";
import { maxClientFrameBytes } from "@slipway/wire/derp/header";
import type { ClientInfo } from "@slipway/wire/derp/login";
import {
  encodeClientInfo,
  encodeServerInfo,
  parseClientInfo,
  parseServerInfo,
} from "@slipway/wire/derp/login";

import { chunksOf, expectSame, expectThat, outcomeOf, valueOf } from "../expectations.ts";
import { recordedRelays } from "../recordings.ts";
import type { FuzzTarget } from "../target.ts";

/** Either side of a relay's connection; the first byte determines how the rest is cut into chunks. */
export const derpTarget: FuzzTarget = {
  name: "derp",
  maxBytes: 16 * 1024,
  maxMs: 100,
  words: ["DERP\u{1f511}", "\u0004\0\0\0", "\u000a\0\0\0", '{"version":2,"CanAckPings":true}'],
  seeds: () =>
    ["c", "s"].flatMap((from) =>
      recordedRelays(from === "c" ? "c" : "s").map((bytes) =>
        Uint8Array.from([40, ...bytes.subarray(0, 4096)]),
      ),
    ),
  check: (input) => {
    const [seed = 0] = input;
    const bytes = input.subarray(1);
    expectSame("the frames with other chunks", read(chunksOf(bytes, seed)), read([bytes]));
    checkLogin(bytes);
  },
};

function read(chunks: readonly Uint8Array[]): unknown {
  const reader = new DerpFrameReader(maxClientFrameBytes);
  const frames: unknown[] = [];
  const outcome = outcomeOf(() => {
    for (const chunk of chunks) {
      reader.read(chunk.slice(), (whole, start, end) => {
        const frame = parseDerpFrame(whole, start, end);
        frames.push(frame && encodeHex(encodeDerpFrame(frame)));
      });
    }
  }, DerpError);
  expectThat(reader.heldBytes <= maxClientFrameBytes + 5, "at most one frame is held back");
  return { frames, outcome };
}

function checkLogin(bytes: Uint8Array): void {
  const client = valueOf((): ClientInfo => parseClientInfo(bytes), DerpError);
  if (client !== undefined && client.meshKey.isWellFormed()) {
    expectSame("a login written and read", parseClientInfo(encodeClientInfo(client)), client);
  }
  const server = valueOf(() => parseServerInfo(bytes), DerpError);
  if (server !== undefined) {
    expectSame("an answer written and read", parseServerInfo(encodeServerInfo(server)), server);
  }
}
