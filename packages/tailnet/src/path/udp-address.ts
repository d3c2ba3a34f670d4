import type { DiscoEndpoint } from "@slipway/wire/disco/message";
import ipaddr from "ipaddr.js";

import { isTunnelAddress } from "../identity/address.ts";

/** The longest text of an address and port: a full IPv6 address in brackets, a colon and five digits. */
const maxTextCharacters = 64;

/** An address and port outside the tunnel. */
export interface UdpAddress {
  /** The canonical text of the address, as `udpAddress` returns it: IPv4 in dotted form, never mapped into IPv6. */
  readonly address: string;
  readonly port: number;
}

/** Returns the canonical form of an address; undefined for a text that is not an address or has a zone. */
export function udpAddress(address: string, port: number): UdpAddress | undefined {
  const isText = address.length <= maxTextCharacters && !address.includes("%");
  if (!isText || !isPort(port)) return undefined;
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) {
    return undefined;
  }
  return { address: ipaddr.process(address).toString(), port };
}

/** Formats an address as nodes publish it; equal addresses have equal texts, so the text is also the key of maps. */
export function formatUdpAddress({ address, port }: UdpAddress): string {
  return isIpv6(address) ? `[${address}]:${String(port)}` : `${address}:${String(port)}`;
}

/** Parses `1.2.3.4:5` or `[2001::1]:5`; undefined for any other text. */
export function parseUdpAddress(text: string): UdpAddress | undefined {
  if (text.length > maxTextCharacters) return undefined;
  const match = /^(?:(?<v4>[\d.]+)|\[(?<v6>[\da-f:.]+)\]):(?<port>\d{1,5})$/i.exec(text);
  const { v4, v6, port } = match?.groups ?? {};
  return udpAddress(v4 ?? v6 ?? "", Number(port));
}

/** Returns the address in the form of disco messages: IPv4 mapped into IPv6. */
export function toDiscoEndpoint({ address, port }: UdpAddress): DiscoEndpoint {
  const parsed = ipaddr.parse(address);
  const mapped = parsed instanceof ipaddr.IPv4 ? parsed.toIPv4MappedAddress() : parsed;
  return { address: Uint8Array.from(mapped.toByteArray()), port };
}

/** Returns the address of 4 or 16 bytes; undefined if the port is 0. */
export function fromAddressBytes(bytes: Uint8Array, port: number): UdpAddress | undefined {
  if (!isPort(port)) return undefined;
  const parsed = ipaddr.fromByteArray([...bytes]);
  const isMapped = parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress();
  return { address: (isMapped ? parsed.toIPv4Address() : parsed).toString(), port };
}

export function isIpv6(address: string): boolean {
  return address.includes(":");
}

/** Ranges that hold no peers; refused, so that no one can make us send there. */
const unusableRanges: ReadonlySet<string> = new Set([
  "unspecified",
  "multicast",
  "broadcast",
  // The metadata services of clouds; and IPv6 would need a zone (docs/protocol/tailnet.md §6.4).
  "linkLocal",
]);

/** Returns true for an address at which a peer may be, and which is not inside the tunnel. */
export function isUsable(address: string): boolean {
  const parsed = ipaddr.parse(address);
  if (unusableRanges.has(parsed.range())) return false;
  return !isTunnelAddress(Uint8Array.from(parsed.toByteArray()));
}

export function isLoopback(address: string): boolean {
  return ipaddr.parse(address).range() === "loopback";
}

/** Returns the points of an address by its kind: the nearer, the more (docs/protocol/tailnet.md §6.4). */
export function nearness(address: string): number {
  const range = ipaddr.parse(address).range();
  const family = isIpv6(address) ? 10 : 0;
  if (range === "loopback") return family + 50;
  return range === "private" || range === "uniqueLocal" ? family + 20 : family;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 0xffff;
}
