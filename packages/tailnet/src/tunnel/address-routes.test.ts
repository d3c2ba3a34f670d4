import fc from "fast-check";
import { expect, it } from "vitest";

import { AddressRoutes } from "./address-routes.ts";

function addressOf(host: number): Uint8Array {
  return new Uint8Array(16).with(15, host);
}

it("finds for each address the owner that it was given to last", () => {
  const step = fc.record({
    owner: fc.constantFrom("a", "b", "c"),
    hosts: fc.option(fc.uniqueArray(fc.nat(5), { maxLength: 4 })),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const routes = new AddressRoutes<string>();
      const model = new Map<number, string>();
      for (const { owner, hosts } of steps) {
        for (const [host, other] of model) if (other === owner) model.delete(host);
        if (hosts === null) routes.remove(owner);
        else routes.assign(owner, hosts.map(addressOf));
        for (const host of hosts ?? []) model.set(host, owner);
        for (const host of [0, 0, 1, 2, 2, 3, 4, 5]) {
          const packet = new Uint8Array(40);
          packet.set(addressOf(host), 8);
          expect(routes.find(packet, 8)).toBe(model.get(host));
        }
      }
    }),
  );
});
