import fc from "fast-check";
import { expect, it } from "vitest";

import { ReceiveWindow, scaleFor } from "./receive-window.ts";

const segment = 1000;
const max = 6 * 1024 * 1024;

function scaled(maxBytes = max): ReceiveWindow {
  const window = new ReceiveWindow(maxBytes, segment);
  window.useScale(scaleFor(maxBytes));
  return window;
}

it.each([
  [1000, 0],
  [65_535, 0],
  [65_536, 1],
  [6 * 1024 * 1024, 7],
  [2 ** 31, 14],
])("needs for %d bytes the scale %d", (bytes, scale) => {
  expect(scaleFor(bytes)).toBe(scale);
});

it("offers 64 KiB in a SYN, and all of the buffer after it", () => {
  const window = scaled();
  expect(window.edge).toBe(1 + 65_535);
  expect(window.take(1, 1) * 2 ** 7).toBe(256 * 1024);
});

it("closes as data waits, and opens only by what is worth a segment", () => {
  const window = scaled();
  const full = window.take(1, 1) * 128;
  expect(window.take(1, 1 + full)).toBe(0);
  expect(window.isUpdateDue(1 + segment - 1, 1 + full)).toBe(false);
  expect(window.take(1 + segment - 1, 1 + full)).toBe(0);
  expect(window.isUpdateDue(1 + segment, 1 + full)).toBe(true);
  expect(window.take(1 + segment, 1 + full)).toBe(Math.floor(segment / 128));
});

it("grows the buffer to twice what is consumed in a round trip, up to the most", () => {
  const window = scaled();
  window.adapt(1, 20, 0);
  window.adapt(200_000, 20, 19);
  expect(window.limit).toBe(256 * 1024);
  window.adapt(200_001, 20, 20);
  expect(window.limit).toBe(400_000);
  window.adapt(200_001 + 5_000_000, 20, 40);
  expect(window.limit).toBe(max);
});

it("does not grow for an application that reads slowly", () => {
  const window = scaled();
  for (let now = 0; now < 10_000; now += 1) window.adapt(1 + now * 100, 20, now);
  expect(window.limit).toBe(256 * 1024);
});

it("never moves the edge back, and never offers more than the buffer", () => {
  const anyStep = fc.record({ arrive: fc.nat(1), consume: fc.nat(1), part: fc.nat(100) });
  fc.assert(
    fc.property(fc.array(anyStep), fc.nat(max), (steps, maxBytes) => {
      const window = scaled(maxBytes + 2000);
      const scale = 2 ** scaleFor(maxBytes + 2000);
      let consumed = 1;
      let next = 1;
      let edge = next + window.take(consumed, next) * scale;
      for (const { arrive, consume, part } of steps) {
        if (arrive === 1) next += Math.floor(((window.edge - next) * part) / 100);
        if (consume === 1) consumed += Math.floor(((next - consumed) * part) / 100);
        const offered = next + window.take(consumed, next) * scale;
        // Rounding by the scale may move the edge back by less than one unit (RFC 7323 §2.4).
        expect(offered).toBeGreaterThan(edge - scale);
        expect(offered).toBeLessThanOrEqual(consumed + window.limit);
        edge = offered;
      }
    }),
  );
});
