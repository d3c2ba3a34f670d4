import fc from "fast-check";
import { expect, it } from "vitest";

import { GrowingBuffer } from "./growing-buffer.ts";
import { joinBytes } from "./join.ts";

it("gives all bytes back at once and is empty then", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (pieces) => {
      const buffer = new GrowingBuffer();
      for (const piece of pieces) buffer.append(piece);
      const joined = joinBytes(pieces);
      expect(buffer.length).toBe(joined.length);
      expect(buffer.take()).toEqual(joined);
      expect(buffer.length).toBe(0);
      expect(buffer.take()).toHaveLength(0);
    }),
  );
});

it("does not touch what it gave away", () => {
  const buffer = new GrowingBuffer();
  buffer.append(Uint8Array.of(1));
  const taken = buffer.take();
  buffer.append(Uint8Array.of(2));
  expect(taken).toEqual(Uint8Array.of(1));
});
