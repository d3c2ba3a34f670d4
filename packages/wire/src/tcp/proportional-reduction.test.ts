import { expect, it } from "vitest";

import { ProportionalReduction } from "./proportional-reduction.ts";

const segment = 1000;

it("sends seven for each ten that arrive, on the way down to seven tenths", () => {
  const reduction = new ProportionalReduction(segment, 100 * segment);
  let flying = 96 * segment;
  let sent = 0;
  for (let arrived = 0; arrived < 20; arrived += 1) {
    flying -= segment;
    const ack = { deliveredBytes: segment, flyingBytes: flying, isSafe: false };
    const window = reduction.window(ack, 70 * segment, false);
    while (flying + segment <= window) {
      flying += segment;
      sent += 1;
      reduction.sent(segment);
    }
  }
  expect(sent).toBe(14);
});

it("lets one segment out at once when it begins", () => {
  const reduction = new ProportionalReduction(segment, 10 * segment);
  const ack = { deliveredBytes: 0, flyingBytes: 9 * segment, isSafe: false };
  expect(reduction.window(ack, 7 * segment, true)).toBe(10 * segment);
});

it("sends what arrives while less is under way than may be, and one more if nothing new was lost", () => {
  const reduction = new ProportionalReduction(segment, 100 * segment);
  const ack = { deliveredBytes: 2 * segment, flyingBytes: 10 * segment };
  expect(reduction.window({ ...ack, isSafe: false }, 70 * segment, false)).toBe(12 * segment);
  reduction.sent(2 * segment);
  expect(reduction.window({ ...ack, isSafe: true }, 70 * segment, false)).toBe(13 * segment);
});
