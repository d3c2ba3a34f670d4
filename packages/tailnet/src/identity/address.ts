import { parseHex } from "@slipway/wire/bytes/hex";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import ipaddr from "ipaddr.js";

/** The prefixes of the network's addresses, 48 bits each (docs/protocol/tailnet.md §1.3). */
const servicePrefix = parseHex("fd7a115ca1e0");
const coderPrefix = parseHex("fd60627aa42b");
const prefixes = [servicePrefix, coderPrefix] as const;

/** Returns the addresses of an agent in the order in which it publishes them. Throws `BytesError` "malformed-uuid". */
export function agentAddresses(agentId: string): readonly Uint8Array[] {
  const uuid = encodeUuid(agentId);
  return prefixes.map((prefix) => withPrefix(prefix, uuid));
}

/** Returns the address at which peers dial an agent: the first of its addresses. Throws `BytesError` "malformed-uuid". */
export function agentServiceAddress(agentId: string): Uint8Array {
  return withPrefix(servicePrefix, encodeUuid(agentId));
}

/** Returns an address for a client: the service prefix, then the rest of a random UUID (docs/protocol/tailnet.md §1.3). */
export function randomClientAddress(randomBytes: (count: number) => Uint8Array): Uint8Array {
  const address = withPrefix(servicePrefix, randomBytes(16));
  // The bits of a UUID of version 4 (RFC 9562 §5.4).
  address[6] = ((address[6] ?? 0) & 0x0f) | 0x40;
  address[8] = ((address[8] ?? 0) & 0x3f) | 0x80;
  return address;
}

/** Returns true for an address inside the network, to which the network's own packets must never be sent. */
export function isTunnelAddress(address: Uint8Array): boolean {
  return (
    address.length === 16 &&
    prefixes.some((prefix) => prefix.every((byte, at) => address[at] === byte))
  );
}

/** Returns the text of an address (RFC 5952). */
export function formatAddress(address: Uint8Array): string {
  return ipaddr.fromByteArray([...address]).toString();
}

/** Returns the bytes of an address by its text; undefined for any other text. */
export function encodeAddress(text: string): Uint8Array | undefined {
  return ipaddr.isValid(text) ? new Uint8Array(ipaddr.parse(text).toByteArray()) : undefined;
}

function withPrefix(prefix: Uint8Array, uuid: Uint8Array): Uint8Array {
  const address = new Uint8Array(uuid);
  address.set(prefix);
  return address;
}
