import type { ProxyLink, TcpProxy } from "@slipway/testkit";
import type { Random } from "@slipway/testkit/random";

import type { Deployment, Route } from "./deployment.ts";
import { type Fault, stayBroken } from "./fault.ts";

/** The affected shares of the open connections: one, some, or all. */
const shares = [0, 0.3, 1];
const minStallMs = 200;

/** Connections between any two participants that are cut or stall for a while. */
export function networkFaults(
  proxies: Deployment["proxies"],
  maxStallMs: number,
): readonly Fault[] {
  return (
    [
      ["agents and servers", maxStallMs],
      ["users and servers", maxStallMs],
      // Queries have no time limit: everything waits for PostgreSQL.
      ["servers and PostgreSQL", maxStallMs / 5],
    ] satisfies [Route, number][]
  ).flatMap(([route, maxMs]) => [
    connectionsCut(route, proxies[route]),
    connectionsStalled(route, proxies[route], maxMs),
  ]);
}

function connectionsCut(route: Route, proxy: TcpProxy): Fault {
  return {
    kind: `connections cut: ${route}`,
    weight: 2,
    strike: async (random) => {
      const links = chosen(proxy, random);
      for (const link of links) link.cut();
      return links.length === 0 ? undefined : `${links.length}`;
    },
  };
}

/** Stalls connections; afterwards half of them resume and the others are cut. */
function connectionsStalled(route: Route, proxy: TcpProxy, maxMs: number): Fault {
  return {
    kind: `connections stalled: ${route}`,
    weight: 1,
    strike: async (random, signal) => {
      const links = chosen(proxy, random);
      if (links.length === 0) return undefined;
      for (const link of links) link.stall();
      await stayBroken(random.between(minStallMs, maxMs), signal);
      for (const link of links) {
        if (random.chance(0.5)) link.cut();
        else link.resume();
      }
      return `${links.length}`;
    },
  };
}

function chosen({ links }: TcpProxy, random: Random): readonly ProxyLink[] {
  const open = links.filter(({ isStalled }) => !isStalled);
  const share = random.pick(shares);
  const one = random.pick(open);
  if (share === 0) return one === undefined ? [] : [one];
  return open.filter(() => random.chance(share ?? 0));
}
