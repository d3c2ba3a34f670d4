import fc from "fast-check";
import { expect, it } from "vitest";

import { joinBytes } from "../bytes/join.ts";
import { DrpcCaller } from "./caller.ts";
import type { CallerEvent } from "./caller.ts";
import { DrpcError } from "./errors.ts";
import { DrpcResponder } from "./responder.ts";
import type { ResponderEvent } from "./responder.ts";

/** Bytes of which no two parts are equal. */
const contents = Uint8Array.from({ length: 140_000 }, (_, at) => at ^ (at >>> 8));

const messages = fc.array(
  fc.oneof(
    fc.uint8Array(),
    // Around the length of one frame, and of several.
    fc.integer({ min: 65_000, max: 140_000 }).map((length) => contents.subarray(0, length)),
  ),
  { maxLength: 5 },
);
const cuts = fc.array(fc.nat(150_000), { maxLength: 10 });

/**
 * Returns events with their bytes as text: the test runner compares byte arrays one by one, which takes seconds here.
 */
function readable(events: readonly (CallerEvent | ResponderEvent)[]): readonly unknown[] {
  return events.map((event) =>
    event.type === "message" ? { type: "message", text: textOf(event.bytes) } : event,
  );
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

/** Cuts `bytes` into pieces that end at the given offsets. */
function cut(bytes: Uint8Array, at: readonly number[]): readonly Uint8Array[] {
  const ends = [...at.map((end) => end % (bytes.length + 1)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

it("carries any messages of several calls in any chunks", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(messages, messages), { maxLength: 3 }), cuts, (calls, at) => {
      const caller = new DrpcCaller();
      const responder = new DrpcResponder();
      for (const [requests, replies] of calls) {
        const sent = joinBytes([
          caller.invoke("/x"),
          ...requests.map((bytes) => caller.message(bytes)),
          caller.closeSend(),
        ]);
        const heard: ResponderEvent[] = cut(sent, at).flatMap((chunk) => responder.receive(chunk));
        expect(readable(heard)).toEqual([
          { type: "invoke", path: "/x", metadata: new Map() },
          ...requests.map((bytes) => ({ type: "message", text: textOf(bytes) })),
          { type: "close-send" },
        ]);
        const answered = joinBytes([
          ...replies.map((bytes) => responder.message(bytes)),
          responder.closeSend(),
        ]);
        const back: CallerEvent[] = cut(answered, at).flatMap((chunk) => caller.receive(chunk));
        expect(readable(back)).toEqual([
          ...replies.map((bytes) => ({ type: "message", text: textOf(bytes) })),
          { type: "end" },
        ]);
      }
    }),
    { numRuns: 50 },
  );
});

it("raises only its own error for random frames", () => {
  const frame = fc
    .tuple(fc.nat(255), fc.nat(3), fc.nat(5), fc.uint8Array({ maxLength: 9 }))
    .map(([control, streamId, messageId, data]) =>
      Uint8Array.from([control, streamId, messageId, data.length, ...data]),
    );
  fc.assert(
    fc.property(fc.array(frame), fc.boolean(), (frames, isCaller) => {
      const side = isCaller ? new DrpcCaller() : new DrpcResponder();
      if (side instanceof DrpcCaller) side.invoke("/x");
      try {
        for (const bytes of frames) side.receive(bytes);
        return true;
      } catch (error) {
        return error instanceof DrpcError;
      }
    }),
    { numRuns: 1000 },
  );
});
