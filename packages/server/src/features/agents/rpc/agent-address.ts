import { BlockList, isIP, isIPv6 } from "node:net";

import { encodeHex, encodeUuid } from "@slipway/wire";

const addressBits = 128;
/** The first six bytes of an agent's addresses; its UUID follows (docs/protocol/tailnet.md §1.3). */
const prefixes = ["fd7a115ca1e0", "fd60627aa42b"] as const;
const legacyAddress = "fd7a:115c:a1e0:49d6:b259:b7ac:b1b2:48f4";

/** Returns the addresses at which an agent may be reached. */
export function agentAddresses(agentId: string): readonly string[] {
  const tail = encodeHex(encodeUuid(agentId).subarray(6));
  return prefixes.map((prefix) => (prefix + tail).replaceAll(/(.{4})(?!$)/g, "$1:"));
}

/** Returns the problem with a prefix that an agent claims as its own, or undefined (docs/protocol/rpc.md §6.3). */
export type AddressCheck = (prefix: string) => string | undefined;

export function addressCheck(agentId: string): AddressCheck {
  const own = new BlockList();
  for (const address of [...agentAddresses(agentId), legacyAddress])
    own.addAddress(address, "ipv6");
  return (prefix) => {
    const [address = "", bits = "", ...rest] = prefix.split("/");
    if (
      isIP(address) === 0 ||
      address.includes("%") ||
      !/^\d{1,3}$/.test(bits) ||
      rest.length > 0
    ) {
      return `parse node address: ${JSON.stringify(prefix.slice(0, 64))} is no address with its bits`;
    }
    if (Number(bits) !== addressBits)
      return `invalid address bits, expected ${addressBits}, got ${bits}`;
    if (!isIPv6(address) || !own.check(address, "ipv6"))
      return `invalid node address, got ${address}`;
    return undefined;
  };
}
