import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";

import { isIpv6, type UdpAddress } from "../path/udp-address.ts";

/*
 * Node.js cannot set don't-fragment on a socket. Linux sets that bit on datagrams that a path is known to carry and
 * fragments longer ones, but it counts the fragments.
 */

const headerBytes = { ipv4: 28, ipv6: 48 } as const;

/**
 * Sends a datagram, and returns true if Linux sent it immediately and in one piece. A datagram longer than any
 * interface carries is not sent. `send` returns false if the datagram has to wait. If the counters cannot be read,
 * nothing is sent.
 */
export function sendWhole(datagram: Uint8Array, to: UdpAddress, send: () => boolean): boolean {
  try {
    if (datagram.length > longestTo(to)) return false;
    const before = countFragments(to);
    return send() && countFragments(to) === before;
  } catch {
    // Another system, or one that hides its counters: unknown.
    return false;
  }
}

/** Returns the length of the longest datagram that any interface on the way to an address may carry. */
function longestTo({ address }: UdpAddress): number {
  const interfaces = Object.entries(networkInterfaces());
  const isOurs = interfaces.some(([, list = []]) => list.some((one) => one.address === address));
  const names = interfaces
    .filter(([, list = []]) => list.some(({ internal }) => internal === isOurs))
    .map(([name]) => name);
  const longest = Math.max(0, ...names.map((name) => readNumber(`/sys/class/net/${name}/mtu`)));
  return longest - (isIpv6(address) ? headerBytes.ipv6 : headerBytes.ipv4);
}

/**
 * Returns the number of fragments that this machine has created in the family of an address, in its network
 * namespace.
 */
function countFragments({ address }: UdpAddress): number {
  if (isIpv6(address)) {
    const [, count] = /^Ip6FragCreates\s+(\d+)$/m.exec(read("/proc/net/snmp6")) ?? [];
    return toCount(count);
  }
  // With this setting routers fragment datagrams.
  if (readNumber("/proc/sys/net/ipv4/ip_no_pmtu_disc") !== 0) throw new RangeError("no discovery");
  const [names = [], values = []] = read("/proc/net/snmp")
    .split("\n")
    .filter((line) => line.startsWith("Ip:"))
    .map((line) => line.split(" "));
  return toCount(values[names.indexOf("FragCreates")]);
}

function toCount(text: string | undefined): number {
  if (text === undefined || !/^\d+$/.test(text)) throw new RangeError("no fragment counter");
  return Number(text);
}

function readNumber(path: string): number {
  return toCount(read(path).trim());
}

function read(path: string): string {
  return readFileSync(path, "latin1");
}
