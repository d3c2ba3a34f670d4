import { measureGoodput } from "@slipway/testkit/links";
import { expect, it } from "vitest";

/** The size of 5 s of data. */
const bytes = 60_000_000;

it.each([
  [20, 0, 256, 0.9],
  [20, 0.001, 256, 0.8],
  [20, 0.01, 256, 0.5],
  [20, 0, 32, 0.82],
  [20, 0.001, 32, 0.78],
  [100, 0, 256, 0.72],
  [100, 0.001, 256, 0.65],
  [100, 0, 32, 0.55],
])(
  "fills 100 Mbit/s at %d ms with %d lost and a queue of %d packets to %d",
  (rttMs, lossRate, queuePackets, least) => {
    const goodput = measureGoodput({ rttMs, lossRate, queuePackets, bytes });
    expect(goodput.isFinished).toBe(true);
    expect(goodput.server).toMatchObject({ read: bytes, isSpoilt: false });
    expect(goodput.share).toBeGreaterThan(least);
  },
);
