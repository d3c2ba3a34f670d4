import { expect, it } from "vitest";

import { isBetter } from "./best-address.ts";
import { Candidate } from "./candidates.ts";

type Measured = readonly [address: string, latencyMs: number | undefined];

function candidate(...[address, latencyMs]: Measured): Candidate {
  const made = new Candidate({ address, port: 1 });
  made.latencyMs = latencyMs;
  return made;
}

it.each<[string, Measured, Measured, boolean]>([
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
  expect(isBetter(candidate(...one), candidate(...other))).toBe(expected);
});

it("never prefers each of two to the other", () => {
  const addresses = ["8.8.8.8", "10.0.0.1", "127.0.0.1", "2a00::1"];
  const all = addresses.flatMap((address) =>
    [0, 1, 50, 100, undefined].map((latency) => candidate(address, latency)),
  );
  for (const one of all) {
    for (const other of all) expect(isBetter(one, other) && isBetter(other, one)).toBe(false);
  }
});
