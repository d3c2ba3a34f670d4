import { expect, it } from "vitest";

import { Congestion } from "./congestion.ts";
import { type Progress, Recovery } from "./recovery.ts";
import { SegmentLimit } from "./segment-limit.ts";

const segmentBytes = 1000;

function open(): { readonly congestion: Congestion; readonly recovery: Recovery } {
  const segment = new SegmentLimit(segmentBytes);
  const congestion = new Congestion(segment);
  return { congestion, recovery: new Recovery({ segment, toleratesNoise: false }, congestion) };
}

/** An ACK up to `una` that reveals no loss. */
function acknowledging(una: number, sentEnd: number): Progress {
  return {
    flightBytes: sentEnd - una + segmentBytes,
    hasAdvanced: true,
    deliveredBytes: segmentBytes,
    flyingBytes: sentEnd - una,
    lostBytes: 0,
    hasLost: false,
    acked: { una, sentEnd, bytes: segmentBytes, rttMs: 100, smoothedRttMs: 100 },
    lowestRttMs: 100,
    wasLimited: false,
  };
}

it("lowers the threshold once for timeouts of the same data, however many there are", () => {
  const { congestion, recovery } = open();
  const window = congestion.window;
  recovery.timedOut(10_001);
  expect(congestion.threshold).toBe(window * 0.7);
  recovery.timedOut(10_001);
  recovery.timedOut(12_001);
  expect(congestion.threshold).toBe(window * 0.7);
  expect(congestion.window).toBe(segmentBytes);
});

it("lowers the threshold for a timeout of later data again", () => {
  const { congestion, recovery } = open();
  recovery.timedOut(10_001);
  recovery.progressed(acknowledging(9001, 10_001), 200);
  expect(recovery.isOpen).toBe(false);
  expect(recovery.progressed(acknowledging(10_001, 20_001), 300)).toBe("ended");
  congestion.setWindow(8 * segmentBytes);
  recovery.timedOut(20_001);
  expect(congestion.threshold).toBe(8 * segmentBytes * 0.7);
});

it("takes the first of two timeouts back if nothing was lost", () => {
  const { congestion, recovery } = open();
  const window = congestion.window;
  recovery.timedOut(10_001);
  recovery.sent(segmentBytes, true, 500);
  recovery.timedOut(10_001);
  recovery.sent(segmentBytes, true, 900);
  expect(recovery.endIfNeedless(500)).toBe(false);
  expect(recovery.endIfNeedless(499)).toBe(true);
  expect([congestion.window, congestion.threshold]).toEqual([window, Infinity]);
  expect(recovery.endIfNeedless(499)).toBe(false);
});
