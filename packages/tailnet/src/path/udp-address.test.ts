import fc from "fast-check";
import { expect, it } from "vitest";

import {
  formatUdpAddress,
  fromAddressBytes,
  isUsable,
  nearness,
  parseUdpAddress,
  toDiscoEndpoint,
} from "./udp-address.ts";

const anyPort = fc.integer({ min: 1, max: 0xffff });
const anyBytes = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);

it.each([
  ["192.168.1.2:41641", "192.168.1.2:41641"],
  ["[2001:DB8:0:0::1]:5", "[2001:db8::1]:5"],
  ["[::ffff:1.2.3.4]:5", "1.2.3.4:5"],
])("reads %s in its one form", (text, canonical) => {
  const address = parseUdpAddress(text);
  expect(address && formatUdpAddress(address)).toBe(canonical);
});

it.each([
  "",
  "1.2.3.4",
  "1.2.3.4:0",
  "1.2.3.4:65536",
  "1.2.3:4",
  "0x1.2.3.4:5",
  "256.1.1.1:5",
  "::1:5",
  "[::1]",
  "[fe80::1%eth0]:5",
  "[1.2.3.4]:5x",
  `[${"0:".repeat(100)}]:5`,
  "example.com:5",
])("takes nothing from %j", (text) => {
  expect(parseUdpAddress(text)).toBeUndefined();
});

it("reads back the bytes and the text of every address", () => {
  fc.assert(
    fc.property(anyBytes, anyPort, (bytes, port) => {
      const address = fromAddressBytes(bytes, port);
      expect(address && parseUdpAddress(formatUdpAddress(address))).toEqual(address);
      const endpoint = address && toDiscoEndpoint(address);
      expect(endpoint && fromAddressBytes(endpoint.address, port)).toEqual(address);
    }),
  );
});

it.each([
  "0.0.0.0",
  "0.1.2.3",
  "224.0.0.1",
  "255.255.255.255",
  "169.254.169.254",
  "::",
  "ff02::1",
  "fe80::1",
  "fd7a:115c:a1e0::1",
  "fd60:627a:a42b::53",
])("knows that no peer is at %s", (address) => {
  expect(isUsable(address)).toBe(false);
});

it.each(["8.8.8.8", "10.0.0.1", "127.0.0.1", "100.64.0.1", "2a00::1", "fd00::1", "::1"])(
  "knows that a peer may be at %s",
  (address) => {
    expect(isUsable(address)).toBe(true);
  },
);

it("prefers what is near", () => {
  const order = ["::1", "127.0.0.1", "fd00::1", "192.168.1.2", "2a00::1", "8.8.8.8"];
  expect(order.toSorted((one, other) => nearness(other) - nearness(one))).toEqual(order);
});
