import { measureGoodput } from "@slipway/testkit/links";
import { expect, it } from "vitest";

/** `packages/testkit/tests/long` has more paths, and more data. */
it.each([
  [20, 0, 256, 0.85],
  [20, 0.01, 256, 0.5],
  [20, 0.001, 32, 0.75],
])(
  "fills 100 Mbit/s at %d ms with %d lost and a queue of %d packets to %d within 2 s of data",
  (rttMs, lossRate, queuePackets, least) => {
    const bytes = 25_000_000;
    const goodput = measureGoodput({ rttMs, lossRate, queuePackets, bytes });
    expect(goodput.isFinished).toBe(true);
    expect(goodput.server).toMatchObject({ read: bytes, isSpoilt: false });
    expect(goodput.share).toBeGreaterThan(least);
  },
);
