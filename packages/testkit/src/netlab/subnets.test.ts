import { expect, it } from "vitest";

import { AddressBlock } from "./subnets.ts";

it("gives out subnets that do not overlap, until all are taken", () => {
  const block = new AddressBlock("192.0.2");
  const networks = Array.from({ length: 16 }, () => block.take().network);
  expect(new Set(networks).size).toBe(16);
  expect(networks.slice(0, 2)).toEqual(["192.0.2.0/28", "192.0.2.16/28"]);
  expect(() => block.take()).toThrow("192.0.2.0/24 has 16 subnets, wanted more");
});

it("gives a host the addresses between the gateway and the one of broadcasts, one after the other", () => {
  const block = new AddressBlock("192.0.2");
  block.take();
  const subnet = block.take();
  expect(subnet.gateway).toBe("192.0.2.17");
  const hosts = Array.from({ length: 14 }, () => subnet.nextHost());
  const all = Array.from({ length: 13 }, (_, at) => `192.0.2.${String(18 + at)}`);
  expect(hosts).toEqual([...all, "192.0.2.18"]);
});
