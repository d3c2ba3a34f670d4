import ipaddr from "ipaddr.js";

/** Returns an address without a zone in one form, however it is written. */
export function canonicalAddress(address: string): string {
  return ipaddr.parse(address).toString();
}
