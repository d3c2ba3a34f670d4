import { expect, it } from "vitest";

import { PingTotals, summaryText } from "./ping-series.ts";

const relay = { kind: "relay", regionId: 1, regionName: "Here" } as const;
const direct = { kind: "direct", address: "192.0.2.1:5" } as const;

it("adds up answers and failures", () => {
  const totals = new PingTotals();
  totals.add({ kind: "pong", pong: { latencyMs: 20, path: relay } });
  totals.add({ kind: "failure", reason: "no answer" });
  totals.add({ kind: "pong", pong: { latencyMs: 1, path: direct } });
  expect(totals.summary).toEqual({
    sent: 3,
    answered: 2,
    direct: 1,
    minMs: 1,
    averageMs: 10.5,
    maxMs: 20,
  });
  expect(summaryText(totals.summary)).toBe(
    "3 pings, 2 answered, 1 directly; min / average / max 1.00 ms / 10.5 ms / 20.0 ms",
  );
});

it("has no latencies without an answer", () => {
  const totals = new PingTotals();
  totals.add({ kind: "failure", reason: "no answer" });
  expect(summaryText(totals.summary)).toBe("1 ping, 0 answered");
});
