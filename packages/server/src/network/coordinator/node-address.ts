import { isIP } from "node:net";

import { encodeHex } from "@slipway/wire/bytes/hex";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import ipaddr from "ipaddr.js";

import { canonicalAddress } from "../../platform/fields/address.ts";

const addressBits = 128;
/** The first six bytes of every address; an agent's UUID follows in its addresses (docs/protocol/tailnet.md §1.3). */
const prefixes = ["fd7a115ca1e0", "fd60627aa42b"] as const;
/** The one address of agents of very old releases. */
const legacyAddress = "fd7a:115c:a1e0:49d6:b259:b7ac:b1b2:48f4";
/** The address of the resolver inside a desktop client. */
const resolverAddress = "fd60:627a:a42b::53";

/** Returns the addresses at which an agent may be reached. */
export function agentAddresses(agentId: string): readonly string[] {
  const tail = encodeHex(encodeUuid(agentId).subarray(6));
  return prefixes.map((prefix) => (prefix + tail).replaceAll(/(.{4})(?!$)/g, "$1:"));
}

/** The address that a prefix consists of, in one form, or the problem with the prefix. */
export type PrefixReading = { readonly address: string } | { readonly problem: string };

/** Reads a prefix that a peer claims as its own. */
export type PrefixReader = (prefix: string) => PrefixReading;

/** Returns a reader that accepts the addresses of an agent (docs/protocol/rpc.md §6.3). */
export function agentPrefixes(agentId: string): PrefixReader {
  const own = new Set([...agentAddresses(agentId), legacyAddress].map(canonicalAddress));
  return (prefix) => {
    const found = readPrefix(prefix);
    if ("problem" in found) return found;
    return own.has(found.address) ? found : invalidAddress(prefix);
  };
}

const unusable = new Set([legacyAddress, resolverAddress].map(canonicalAddress));

/** Reads a prefix of a client: any address of the network, except those with a special meaning. */
export function clientPrefix(prefix: string): PrefixReading {
  const found = readPrefix(prefix);
  if ("problem" in found) return found;
  const bytes = encodeHex(Uint8Array.from(ipaddr.parse(found.address).toByteArray()));
  const isOurs = prefixes.some((start) => bytes.startsWith(start));
  return isOurs && !unusable.has(found.address) ? found : invalidAddress(prefix);
}

function readPrefix(prefix: string): PrefixReading {
  const [address = "", bits = "", ...rest] = prefix.split("/");
  if (isIP(address) === 0 || address.includes("%") || !/^\d{1,3}$/.test(bits) || rest.length > 0) {
    const text = JSON.stringify(prefix.slice(0, 64));
    return { problem: `parse node address: ${text} is no address with its bits` };
  }
  if (Number(bits) !== addressBits) {
    return { problem: `invalid address bits, expected ${addressBits}, got ${bits}` };
  }
  return isIP(address) === 6 ? { address: canonicalAddress(address) } : invalidAddress(prefix);
}

function invalidAddress(prefix: string): PrefixReading {
  return { problem: `invalid node address, got ${prefix.split("/")[0] ?? ""}` };
}
