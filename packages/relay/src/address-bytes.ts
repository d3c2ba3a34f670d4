import { isIPv4, isIPv6 } from "node:net";

/** Returns the bytes of an address in its text form: 4, also of an IPv4 address within IPv6, or 16. */
export function addressBytes(text: string): Uint8Array | undefined {
  const mapped = text.replace(/^::ffff:(?=[\d.]+$)/i, "");
  if (isIPv4(mapped)) return Uint8Array.from(mapped.split("."), Number);
  const address = text.replace(/%.*$/, "");
  if (!isIPv6(address) || address.includes(".")) return undefined;
  const [before = "", after] = address.split("::");
  const front = groupsOf(before);
  const back = groupsOf(after ?? "");
  const groups = [...front, ...new Uint16Array(8 - front.length - back.length), ...back];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

function groupsOf(text: string): readonly number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}
