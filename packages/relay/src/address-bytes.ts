import { isIP } from "node:net";

import ipaddr from "ipaddr.js";

/** Returns the bytes of an address in its text form: 4, also of an IPv4 address within IPv6, or 16. */
export function addressBytes(text: string): Uint8Array | undefined {
  if (isIP(text) === 0) return undefined;
  return Uint8Array.from(ipaddr.process(text).toByteArray());
}
