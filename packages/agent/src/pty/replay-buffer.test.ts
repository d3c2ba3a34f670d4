import fc from "fast-check";
import { expect, it } from "vitest";

import { ReplayBuffer } from "./replay-buffer.ts";

it("keeps the newest bytes, at most its size", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.uint8Array({ maxLength: 30 })),
      (maxBytes, chunks) => {
        const buffer = new ReplayBuffer(maxBytes);
        for (const chunk of chunks) buffer.add(Buffer.from(chunk));
        const all = Buffer.concat(chunks);
        expect(buffer.read()).toEqual(all.subarray(Math.max(0, all.length - maxBytes)));
      },
    ),
  );
});
