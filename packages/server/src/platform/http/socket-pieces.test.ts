import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SocketPieces } from "./socket-pieces.ts";

interface FrameInput {
  readonly code: number;
  readonly isLast: boolean;
  readonly payload: number;
}

/** Encodes a masked frame whose payload is zeros. */
function frame({ code, isLast, payload }: FrameInput): Buffer {
  const first = (isLast ? 0x80 : 0) | code;
  const key = Buffer.from([1, 2, 3, 4]);
  const body = Buffer.alloc(payload);
  if (payload < 126) return Buffer.concat([Buffer.from([first, 0x80 | payload]), key, body]);
  const isShort = payload < 65_536;
  const length = Buffer.alloc(isShort ? 2 : 8);
  if (isShort) length.writeUInt16BE(payload);
  else length.writeBigUInt64BE(BigInt(payload));
  return Buffer.concat([Buffer.from([first, 0x80 | (isShort ? 126 : 127)]), length, key, body]);
}

const message = (payload: number): Buffer => frame({ code: 2, isLast: true, payload });
const ping = frame({ code: 9, isLast: true, payload: 2 });

function takeAll(pieces: SocketPieces): { readonly bytes: Buffer; readonly frames: number[] } {
  const taken: Buffer[] = [];
  const frames: number[] = [];
  while (!pieces.isEmpty) {
    const piece = pieces.take();
    if (piece === undefined) break;
    taken.push(piece.bytes);
    frames.push(piece.frames);
  }
  return { bytes: Buffer.concat(taken), frames };
}

describe("SocketPieces", () => {
  it("takes few frames at a time", () => {
    const pieces = new SocketPieces();
    pieces.add(Buffer.concat(Array.from({ length: 40 }, () => message(0))));
    expect(takeAll(pieces).frames).toEqual([16, 16, 8]);
  });

  it("loses nothing and counts every frame once, however they are cut into chunks", () => {
    const anyFrame = fc.record({
      code: fc.constantFrom(0, 1, 2, 8, 9, 10),
      isLast: fc.boolean(),
      payload: fc.constantFrom(0, 1, 125, 126, 300, 65_535, 65_536, 70_000),
    });
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 30 }),
        (frames, large, small) => {
          const bytes = Buffer.concat(frames.map(frame));
          const pieces = new SocketPieces();
          const taken: Buffer[] = [];
          let count = 0;
          let at = 0;
          for (const size of [...small, ...large, Infinity]) {
            pieces.add(bytes.subarray(at, at + size));
            at = Math.min(bytes.length, at + size);
            const some = takeAll(pieces);
            taken.push(some.bytes);
            count += some.frames.reduce((sum, one) => sum + one, 0);
          }
          expect(Buffer.concat(taken).equals(bytes)).toBe(true);
          expect(count).toBe(frames.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("counts what is there of a message until its end, and what is announced", () => {
    const pieces = new SocketPieces();
    const large = frame({ code: 2, isLast: false, payload: 1_000 });
    pieces.add(large.subarray(0, large.length - 400));
    takeAll(pieces);
    expect(pieces).toMatchObject({ messageBytes: 1_000, heldBytes: 600 + 256 });
    pieces.add(Buffer.concat([large.subarray(large.length - 400), ping]));
    takeAll(pieces);
    expect(pieces).toMatchObject({ messageBytes: 1_000, heldBytes: 1_000 + 256 });
    pieces.add(frame({ code: 0, isLast: false, payload: 0 }));
    takeAll(pieces);
    expect(pieces).toMatchObject({ messageBytes: 1_000, heldBytes: 1_000 + 512 });
    pieces.add(frame({ code: 0, isLast: true, payload: 1 }));
    takeAll(pieces);
    expect(pieces).toMatchObject({ messageBytes: 0, heldBytes: 0 });
  });

  it("counts no control frame as a message", () => {
    const pieces = new SocketPieces();
    pieces.add(ping.subarray(0, 7));
    takeAll(pieces);
    expect(pieces).toMatchObject({ messageBytes: 0, heldBytes: 0 });
  });
});
