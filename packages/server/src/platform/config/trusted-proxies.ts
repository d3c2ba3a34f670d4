import { isIP } from "node:net";

/** The maximum number of networks in the list. */
const maxProxies = 256;

/**
 * Parses a list of addresses and networks, such as `10.0.0.0/8, ::1`; undefined if any is invalid. Networks that
 * include every address are invalid too: they would let anybody forge their address.
 */
export function parseTrustedProxies(text: string): readonly string[] | undefined {
  const entries = text.split(",").map((entry) => entry.trim());
  const isRight = entries.length <= maxProxies && entries.every(isNetwork);
  return isRight ? entries : undefined;
}

function isNetwork(entry: string): boolean {
  const match = /^(?<address>[^/%]+)(?:\/(?<bits>\d{1,3}))?$/.exec(entry);
  const family = isIP(match?.groups?.["address"] ?? "");
  if (family === 0) return false;
  const maxBits = family === 6 ? 128 : 32;
  const bits = Number(match?.groups?.["bits"] ?? maxBits);
  return bits >= 1 && bits <= maxBits;
}
