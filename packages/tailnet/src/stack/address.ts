import { ipv6AddressBytes } from "@slipway/wire/ip/ipv6";

/** One end of a connection or datagram. */
export interface Endpoint {
  /** An IPv6 address, 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** Returns true if two addresses are the same. */
export function isSameAddress(one: Uint8Array, other: Uint8Array): boolean {
  for (let at = 0; at < ipv6AddressBytes; at += 1) if (one[at] !== other[at]) return false;
  return true;
}
