import { expect, it } from "vitest";

import { OpenCounts, type PlaceOrLimit } from "./open-counts.ts";

function giveBack(taken: PlaceOrLimit): void {
  if (typeof taken === "string") throw new TypeError(`found no place: ${taken}`);
  taken[Symbol.dispose]();
}

it("has so many places for an address, and so many in all", () => {
  const counts = new OpenCounts({ perAddress: 2, inAll: 4 });
  const first = counts.take("192.0.2.1");
  counts.take("192.0.2.1");
  expect(counts.take("192.0.2.1")).toBe("address");
  counts.take("2001:db8::1");
  counts.take(undefined);
  expect(counts.take("192.0.2.2")).toBe("all");
  expect(counts.take(undefined)).toBe("all");
  giveBack(first);
  giveBack(first);
  expect(counts.size).toBe(3);
  expect(counts.take("192.0.2.1")).not.toBe("address");
  expect(counts.take("192.0.2.1")).toBe("address");
});

it("counts an IPv6 network of 64 bits as one address", () => {
  const counts = new OpenCounts({ perAddress: 1, inAll: 4 });
  counts.take("2001:db8:1:2::1");
  expect(counts.take("2001:db8:1:2:3::1")).toBe("address");
  expect(counts.take("::ffff:192.0.2.1")).not.toBe("address");
  expect(counts.take("192.0.2.1")).toBe("address");
});
