import fc from "fast-check";
import { expect, it } from "vitest";

import { ReplayWindow, replayWindow } from "./replay-window.ts";

it("takes each counter once, in any order within the window", () => {
  const steps = fc.array(
    fc.oneof(
      fc.integer({ min: -20, max: 20 }),
      fc.integer({ min: -10_000, max: 10_000 }),
      fc.integer({ min: 0, max: 2 ** 40 }),
    ),
    { maxLength: 400 },
  );
  fc.assert(
    fc.property(steps, (moves) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let highest = -1;
      for (const move of moves) {
        const counter = Math.max(0, highest + move);
        const isWithin = counter > highest - replayWindow;
        expect(window.isFresh(counter)).toBe(isWithin && !seen.has(counter));
        if (!window.isFresh(counter)) continue;
        window.mark(counter);
        seen.add(counter);
        highest = Math.max(highest, counter);
      }
    }),
    { numRuns: 200 },
  );
});

it("takes the oldest counter of the window and not the one before", () => {
  for (const highest of [8128, 10_000, 2 ** 40 + 31]) {
    const window = new ReplayWindow();
    window.mark(highest);
    expect(window.isFresh(highest)).toBe(false);
    expect(window.isFresh(highest - replayWindow)).toBe(false);
    for (let counter = highest - replayWindow + 1; counter < highest; counter += 1) {
      expect(window.isFresh(counter)).toBe(true);
      window.mark(counter);
      expect(window.isFresh(counter)).toBe(false);
    }
  }
});
