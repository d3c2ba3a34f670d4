import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { joinBytes } from "../bytes/join.ts";
import { encodeUtf8 } from "../bytes/utf8.ts";
import {
  TerminalFrameError,
  encodeOutputHeader,
  encodeTerminalFrame,
  encodeTerminalGreeting,
  type TerminalEvent,
  TerminalFrames,
} from "./terminal-frames.ts";

const viewer = "0f8fad5b-d9cb-469f-a165-70867728950e";
const output = encodeUtf8("ls\r\n");
const controls: readonly Exclude<TerminalEvent, { readonly type: "output" }>[] = [
  { type: "attached", position: 2 ** 33 + 1, taken: 7 },
  { type: "taken", taken: 2 ** 40 },
  { type: "unknown" },
  { type: "ended" },
];
const stream = joinBytes([
  encodeTerminalGreeting(viewer),
  ...controls.map((event) => encodeTerminalFrame(event)),
  encodeOutputHeader(output.length),
  output,
  encodeOutputHeader(0),
  encodeTerminalFrame({ type: "ended" }),
]);

/** Reads pieces, and joins output that was split. */
function read(frames: TerminalFrames, pieces: readonly Uint8Array[]): unknown[] {
  const found: (Exclude<TerminalEvent, { readonly type: "output" }> | string)[] = [];
  for (const event of pieces.flatMap((piece) => frames.receive(piece))) {
    const last = found.at(-1);
    if (event.type !== "output") found.push(event);
    else if (typeof last === "string") found[found.length - 1] = last + encodeHex(event.bytes);
    else found.push(encodeHex(event.bytes));
  }
  return found;
}

describe("frames of a terminal", () => {
  it("are laid out as documented", () => {
    expect(encodeHex(encodeTerminalFrame({ type: "attached", position: 70_000, taken: 3 }))).toBe(
      "0100001000000000000111700000000000000003",
    );
    expect(encodeHex(encodeOutputHeader(4096))).toBe("02001000");
  });

  it("are read however they are cut", () => {
    const wanted = [...controls, encodeHex(output), { type: "ended" }];
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const frames = new TerminalFrames(viewer);
      expect(read(frames, [stream.subarray(0, cut), stream.subarray(cut)])).toEqual(wanted);
      expect(frames.isPlain).toBe(false);
    }
    const bytes = Array.from(stream, (byte) => Uint8Array.of(byte));
    expect(read(new TerminalFrames(viewer), bytes)).toEqual(wanted);
  });

  it("are none of what an agent sends that does not know the viewer", () => {
    const begun = encodeTerminalGreeting(viewer).subarray(0, 9);
    for (const plain of [encodeUtf8("$ "), joinBytes([begun, encodeUtf8("x then more")])]) {
      for (let cut = 0; cut <= plain.length; cut += 1) {
        const frames = new TerminalFrames(viewer);
        const found = read(frames, [plain.subarray(0, cut), plain.subarray(cut)]);
        expect(found).toEqual([encodeHex(plain)]);
        expect(frames.isPlain).toBe(true);
      }
    }
  });

  it.each(["00000000", "06000000", "0100000f", "04000001", "030000080020000000000000"])(
    "are refused as malformed: %s",
    (hex) => {
      const frames = new TerminalFrames(viewer);
      frames.receive(encodeTerminalGreeting(viewer));
      expect(() => frames.receive(parseHex(hex))).toThrow(TerminalFrameError);
    },
  );

  it("throw only their own error for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const frames = new TerminalFrames(viewer);
        frames.receive(encodeTerminalGreeting(viewer));
        try {
          frames.receive(bytes);
        } catch (error) {
          if (!(error instanceof TerminalFrameError)) throw error;
        }
      }),
    );
  });
});
