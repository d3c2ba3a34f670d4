import { describe, expect, it } from "vitest";

import { BestPath } from "./best-path.ts";
import { Candidate } from "./candidates.ts";
import type { SentPing } from "./sent-pings.ts";
import { roundMs, trustMs, upgradeMs } from "./timing.ts";

const relay = { kind: "relay", regionId: 7 };

function candidateAt(port: number, latencyMs: number): Candidate {
  const candidate = new Candidate({ address: "192.0.2.1", port });
  candidate.latencyMs = latencyMs;
  return candidate;
}

const pingTo = (candidate: Candidate | undefined, sentAt: number): SentPing => ({
  candidate,
  sentAt,
  explicitId: undefined,
  provesBytes: undefined,
});

describe("BestPath", () => {
  it("leads over the relay, then directly, and over both once the trust has ended", () => {
    const best = new BestPath();
    expect(best.route(7, 0)).toEqual(relay);
    const one = candidateAt(1, 20);
    best.answered(one, 100);
    const { address } = one;
    expect(best.route(7, 100 + trustMs - 1)).toEqual({ kind: "udp", address });
    expect(best.route(7, 100 + trustMs)).toEqual({ kind: "both", regionId: 7, address });
  });

  it("ends with a ping that was sent after the trust had ended, and with no other", () => {
    const best = new BestPath();
    const one = candidateAt(1, 20);
    best.answered(one, 0);
    best.missed(pingTo(one, trustMs - 1), 2 * trustMs);
    best.missed(pingTo(candidateAt(2, 20), trustMs), 2 * trustMs);
    best.missed(pingTo(undefined, trustMs), 2 * trustMs);
    best.missed(pingTo(one, trustMs), trustMs - 1);
    expect(best.candidate).toBe(one);
    best.missed(pingTo(one, trustMs), 2 * trustMs);
    expect(best.candidate).toBeUndefined();
  });

  it("changes for an address that is better, or for any once the trust has ended", () => {
    const best = new BestPath();
    const [one, worse, better] = [candidateAt(1, 20), candidateAt(2, 30), candidateAt(3, 5)];
    best.answered(one, 0);
    best.answered(worse, 1);
    expect(best.candidate).toBe(one);
    const { size } = better;
    best.answered(better, 1);
    expect(best.candidate).toBe(better);
    expect(better.size).not.toBe(size);
    best.answered(worse, 1 + trustMs);
    expect(best.candidate).toBe(worse);
  });

  it("searches each round while relayed, and after the trust or for something better later", () => {
    const best = new BestPath();
    expect(best.nextRound(10)).toBe(10 + roundMs);
    best.answered(candidateAt(1, 5), 1000);
    expect(best.nextRound(10)).toBe(1000 + trustMs);
    best.answered(candidateAt(1, 5), 10 + 2 * upgradeMs);
    expect(best.nextRound(10)).toBe(10 + 2 * upgradeMs + trustMs);
    const slow = new BestPath();
    slow.answered(candidateAt(1, 100), 10 + 2 * upgradeMs);
    expect(slow.nextRound(10)).toBe(10 + upgradeMs);
  });
});
