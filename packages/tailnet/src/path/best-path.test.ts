import { describe, expect, it } from "vitest";

import { BestPath, isBetter } from "./best-path.ts";
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

type Measurement = readonly [address: string, latencyMs: number | undefined];

function measured(...[address, latencyMs]: Measurement): Candidate {
  const made = new Candidate({ address, port: 1 });
  made.latencyMs = latencyMs;
  return made;
}

it.each<[string, Measurement, Measurement, boolean]>([
  ["a tenth less latency", ["8.8.8.8", 90], ["9.9.9.9", 100], true],
  ["the same latency", ["8.8.8.8", 100], ["9.9.9.9", 100], false],
  ["less by half a percent", ["8.8.8.8", 99.5], ["9.9.9.9", 100], false],
  ["a private address with a tenth more", ["10.0.0.1", 110], ["9.9.9.9", 100], true],
  ["a private address with half more", ["10.0.0.1", 150], ["9.9.9.9", 100], false],
  ["loopback with half more", ["127.0.0.1", 0.15], ["10.0.0.1", 0.1], false],
  ["IPv6 with the same latency", ["2a00::1", 100], ["9.9.9.9", 100], true],
  ["what never answered", ["127.0.0.1", undefined], ["9.9.9.9", 100], false],
  ["any answer over none", ["8.8.8.8", 900], ["127.0.0.1", undefined], true],
  ["no time at all", ["8.8.8.8", 0], ["9.9.9.9", 0], false],
])("compares %s", (_, one, other, expected) => {
  expect(isBetter(measured(...one), measured(...other))).toBe(expected);
});

it("never prefers each of two to the other", () => {
  const addresses = ["8.8.8.8", "10.0.0.1", "127.0.0.1", "2a00::1"];
  const all = addresses.flatMap((address) =>
    [0, 1, 50, 100, undefined].map((latency) => measured(address, latency)),
  );
  for (const one of all) {
    for (const other of all) expect(isBetter(one, other) && isBetter(other, one)).toBe(false);
  }
});
