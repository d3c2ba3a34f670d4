import { expect, it } from "vitest";

import { maxWaitingRequests, MessageGuard } from "./inbound-limits.ts";

const globalRequest = Uint8Array.of(80);

it("lets so many requests wait for the answer to an earlier one, and no more", () => {
  let isAnswering = true;
  const guard = new MessageGuard(() => isAnswering);
  for (let count = 0; count < maxWaitingRequests; count += 1) guard.check(globalRequest);
  isAnswering = false;
  guard.check(globalRequest);
  isAnswering = true;
  for (let count = 0; count < maxWaitingRequests; count += 1) guard.check(globalRequest);
  expect(() => guard.check(globalRequest)).toThrow("unanswered requests");
});

it("lets any number of requests be answered at once", () => {
  const guard = new MessageGuard(() => false);
  for (let count = 0; count < 3 * maxWaitingRequests; count += 1) guard.check(globalRequest);
  expect(() => guard.check(Uint8Array.of())).not.toThrow();
});

it("refuses answers to questions that nobody asked", () => {
  const guard = new MessageGuard(() => false);
  expect(() => guard.check(Uint8Array.of(61, 255, 255, 255, 255))).toThrow("without a question");
});
