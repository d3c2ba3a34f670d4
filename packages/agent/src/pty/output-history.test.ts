import fc from "fast-check";
import { expect, it } from "vitest";

import { OutputHistory } from "./output-history.ts";

it("keeps the newest bytes by their positions, at most its size", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.uint8Array({ maxLength: 30 })),
      fc.array(fc.uint8Array({ maxLength: 30 })),
      fc.integer({ min: 1, max: 40 }),
      (maxBytes, chunks, later, grown) => {
        const history = new OutputHistory(maxBytes);
        for (const chunk of chunks) history.add(Buffer.from(chunk));
        const before = Buffer.concat(chunks);
        expect(history.end).toBe(before.length);
        expect(history.newest(maxBytes)).toEqual(
          before.subarray(Math.max(0, before.length - maxBytes)),
        );
        history.grow(grown);
        for (const chunk of later) history.add(Buffer.from(chunk));
        const all = Buffer.concat([...chunks, ...later]);
        const since = Math.max(0, before.length - maxBytes);
        const size = Math.max(maxBytes, grown);
        for (let at = since; at <= all.length; at += 1) {
          const isKept = all.length - at <= size;
          expect(history.since(at)).toEqual(isKept ? all.subarray(at) : undefined);
        }
      },
    ),
  );
});

it.each([-1, 4, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER])(
  "has nothing since the position %d",
  (position) => {
    const history = new OutputHistory(8);
    history.add(Buffer.from("abc"));
    expect(history.since(position)).toBeUndefined();
  },
);
