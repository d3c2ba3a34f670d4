import { expect, it } from "vitest";

import { Candidates } from "./candidates.ts";
import type { UdpAddress } from "./udp-address.ts";

const at = (last: number): UdpAddress => ({ address: `10.0.0.${String(last)}`, port: 1 });
const several = (first: number, count: number): readonly UdpAddress[] =>
  Array.from({ length: count }, (_, index) => at(first + index));

function create(maxPerSource: number): { candidates: Candidates; forgotten: string[] } {
  const forgotten: string[] = [];
  return { candidates: new Candidates(maxPerSource, (key) => forgotten.push(key)), forgotten };
}

it("holds a bounded number from each source", () => {
  const { candidates } = create(3);
  candidates.publish(several(1, 10));
  candidates.call(several(20, 10));
  for (const address of several(40, 10)) candidates.hear(address, 0);
  expect([...candidates].map(({ key }) => key)).toEqual(
    [1, 2, 3, 20, 21, 22, 47, 48, 49].map((last) => `10.0.0.${String(last)}:1`),
  );
});

it("forgets what neither the node nor a call names any more, unless it is still heard", () => {
  const { candidates, forgotten } = create(3);
  candidates.publish([at(1), at(2)]);
  candidates.call([at(2), at(3)]);
  candidates.hear(at(3), 1000);
  candidates.publish([]);
  candidates.call([]);
  candidates.prune(2000, undefined);
  expect(forgotten).toEqual(["10.0.0.1:1", "10.0.0.2:1"]);
  candidates.prune(47_000, undefined);
  expect([...candidates]).toEqual([]);
});

it("keeps the address that is in use", () => {
  const { candidates, forgotten } = create(3);
  const best = candidates.hear(at(1), 0);
  candidates.prune(1_000_000, best);
  expect(forgotten).toEqual([]);
});

it("does not let addresses that never answer displace one that did", () => {
  const { candidates } = create(2);
  candidates.hear(at(1), 0).latencyMs = 5;
  for (const address of several(50, 20)) candidates.hear(address, 1);
  expect(candidates.get("10.0.0.1:1")?.latencyMs).toBe(5);
});

it("tells of all that it forgets at its end", () => {
  const { candidates, forgotten } = create(3);
  candidates.publish([at(1)]);
  candidates.hear(at(2), 0);
  candidates.clear();
  expect(forgotten).toEqual(["10.0.0.1:1", "10.0.0.2:1"]);
});
