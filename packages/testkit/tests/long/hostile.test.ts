import { expect, it } from "vitest";

import { runHostile } from "../../src/index.ts";

/** `npm run test:hostile` runs for an hour and measures times; this test only checks that everything keeps working. */
it(
  "hostile agents, members, strangers and clients of the relay at once: the server answers them, and the member who works",
  { timeout: 240_000 },
  async () => {
    const { intervals, faults } = await runHostile({
      durationMs: 30_000,
      intervalMs: 5_000,
      onInterval: () => undefined,
    });
    expect(faults).toEqual([]);
    expect(intervals.reduce((sum, { requests }) => sum + requests, 0)).toBeGreaterThan(0);
    const played = (intervals.at(-1)?.tricks ?? []).map(({ name }) => name);
    expect(played).toContain("streams opened and reset");
    expect(played).toContain("many watch streams");
    expect(played).toContain("20,000 requests in a row");
    expect(played).toContain("empty packets between all relay clients");
  },
);
