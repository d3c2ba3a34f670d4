import { expect, it } from "vitest";

import { questionsFor } from "./vanished-clients.ts";

const [minute, hour] = [60_000, 3_600_000];

it("gives up a vanished client after six minutes, however long clients may be silent", () => {
  const { keepaliveInterval, keepaliveCountMax } = questionsFor(72 * hour);
  expect(keepaliveInterval * keepaliveCountMax).toBe(6 * minute);
  // A lost packet or a slow network must not end a session.
  expect(keepaliveCountMax).toBeGreaterThanOrEqual(6);
});

it.each([3_000, 10_000, minute, 5 * minute])(
  "gives it up after %d ms where that is the limit",
  (limit) => {
    const { keepaliveInterval, keepaliveCountMax } = questionsFor(limit);
    expect(keepaliveCountMax).toBeGreaterThanOrEqual(3);
    expect(keepaliveInterval * keepaliveCountMax).toBeGreaterThanOrEqual(limit);
    expect(keepaliveInterval * keepaliveCountMax).toBeLessThan(limit + keepaliveCountMax);
  },
);
