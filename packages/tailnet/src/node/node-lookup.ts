import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { isIPv4, isIPv6, type LookupFunction } from "node:net";

import type { DerpNode } from "../relay/derp-map.ts";

/** Returns the lookup of a node's name, in whose place the map may have addresses (docs/protocol/tailnet.md §3.1). */
export function lookupOf(
  { ipv4, ipv6 }: Pick<DerpNode, "ipv4" | "ipv6">,
  lookup: LookupFunction = systemLookup,
): LookupFunction {
  const [first, ...rest] = literals(ipv4, ipv6);
  if (first !== undefined) {
    return (_host, { all }, callback) => {
      if (all === true) callback(null, [first, ...rest]);
      else callback(null, first.address, first.family);
    };
  }
  if (ipv4 === undefined && ipv6 === undefined) return lookup;
  // A text that is no address turns its family off.
  const family = ipv4 === undefined ? 4 : 6;
  return (host, options, callback) => lookup(host, { ...options, family }, callback);
}

function literals(ipv4: string | undefined, ipv6: string | undefined): LookupAddress[] {
  const found: LookupAddress[] = [];
  if (ipv6 !== undefined && isIPv6(ipv6)) found.push({ address: ipv6, family: 6 });
  if (ipv4 !== undefined && isIPv4(ipv4)) found.push({ address: ipv4, family: 4 });
  return found;
}
