import { encodeHex } from "@slipway/wire/bytes/hex";
import { joinBytes } from "@slipway/wire/bytes/join";
import { DrpcCaller } from "@slipway/wire/drpc/caller";
import { DrpcError } from "@slipway/wire/drpc/errors";
import { encodeFrame, parseFrame } from "@slipway/wire/drpc/frame";
import { encodeMetadata, parseMetadata } from "@slipway/wire/drpc/metadata";
import { DrpcResponder } from "@slipway/wire/drpc/responder";
import { encodeRpcError, parseRpcError } from "@slipway/wire/drpc/rpc-error";

import { chunksOf, expectSame, expectThat, outcomeOf, valueOf } from "../expectations.ts";
import type { FuzzTarget } from "../target.ts";

/** Both sides of a call; the first byte selects the side, the second how the rest is cut into chunks. */
export const drpcTarget: FuzzTarget = {
  name: "drpc",
  maxBytes: 64 * 1024,
  maxMs: 100,
  words: [
    "/coder.agent.v2.Agent/GetManifest",
    "\u0003\u0001\u0001",
    "\u0005\u0001\u0002",
    "\n\u0004",
  ],
  seeds: () => [0, 1].map((side) => joinBytes([Uint8Array.of(side, 9), ...callBytes()])),
  check: (input) => {
    const [side = 0, seed = 0] = input;
    const bytes = input.subarray(2);
    const whole = receive(side, [bytes]);
    const split = receive(side, chunksOf(bytes, seed));
    expectSame("the end of a call with other chunks", split.refused, whole.refused);
    // A rejected chunk drops the events before the fault.
    if (whole.refused === undefined) expectSame("events", split.events, whole.events);
    checkFrame(bytes);
    checkPayloads(bytes);
  },
};

function callBytes(): readonly Uint8Array[] {
  const caller = new DrpcCaller();
  const responder = new DrpcResponder();
  const request = [
    caller.invoke("/coder.agent.v2.Agent/GetManifest", new Map([["key", "value"]])),
    caller.message(Uint8Array.of(1, 2, 3)),
    caller.closeSend(),
  ];
  for (const bytes of request) responder.receive(bytes);
  const answer = [responder.message(Uint8Array.of(4)), responder.closeSend()];
  return [...request, caller.close(), caller.invoke("/b"), caller.close(), ...answer];
}

interface ReceivedEvents {
  readonly refused: string | undefined;
  readonly events: readonly unknown[];
}

function receive(side: number, chunks: readonly Uint8Array[]): ReceivedEvents {
  const caller = new DrpcCaller();
  caller.invoke("/a");
  const peer = side % 2 === 0 ? new DrpcResponder() : caller;
  const events: unknown[] = [];
  const outcome = outcomeOf(() => {
    for (const chunk of chunks) {
      for (const event of peer.receive(chunk)) {
        events.push("bytes" in event ? { ...event, bytes: encodeHex(event.bytes) } : event);
      }
    }
  }, DrpcError);
  return { refused: outcome.kind === "refused" ? outcome.text : undefined, events };
}

function checkFrame(bytes: Uint8Array): void {
  const parsed = valueOf(() => parseFrame(bytes), DrpcError);
  if (parsed === undefined) return;
  if (parsed.type === "incomplete") {
    return expectThat(parsed.wantedBytes > bytes.length, "an incomplete frame wants more bytes");
  }
  const again = parseFrame(encodeFrame(parsed.frame));
  expectSame(
    "a frame written and read",
    again.type === "frame" && plain(again.frame),
    plain(parsed.frame),
  );
}

function plain(frame: { readonly data: Uint8Array }): unknown {
  return { ...frame, data: encodeHex(frame.data) };
}

function checkPayloads(bytes: Uint8Array): void {
  const metadata = valueOf(() => parseMetadata(bytes), DrpcError);
  if (metadata !== undefined) {
    expectSame("metadata written and read", parseMetadata(encodeMetadata(metadata)), metadata);
  }
  const error = valueOf(() => parseRpcError(bytes), DrpcError);
  if (error !== undefined && Number.isSafeInteger(error.code)) {
    expectSame("an error written and read", parseRpcError(encodeRpcError(error)), error);
  }
}
