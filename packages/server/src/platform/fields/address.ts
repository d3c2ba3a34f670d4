import { isIPv6 } from "node:net";

import ipaddr from "ipaddr.js";

/** Returns an address without a zone in one form, however it is written. */
export function canonicalAddress(address: string): string {
  return ipaddr.parse(address).toString();
}

/** Unwraps an IPv4 address that a dual-stack socket shows as IPv6. */
export function withoutMapping(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

/** Returns the key by which an address is counted: an IPv6 network of 64 bits belongs to one site. */
export function addressKey(address: string): string {
  const plain = withoutMapping(address);
  if (!isIPv6(plain)) return plain;
  // The library does not accept every name of a zone.
  const network = ipaddr.IPv6.parse(plain.replace(/%.*/, "")).parts.slice(0, 4);
  return `${network.map((part) => part.toString(16)).join(":")}::/64`;
}
