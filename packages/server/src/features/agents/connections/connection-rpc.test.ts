import { expect, it } from "vitest";

import { readAddress } from "./connection-rpc.ts";

it.each([
  ["10.0.0.1", "10.0.0.1"],
  ["fd7a:115c:a1e0::1", "fd7a:115c:a1e0::1"],
  ["FD7A:115C:A1E0:0:0:0:0:0001", "fd7a:115c:a1e0::1"],
  ["fe80::1%eth0", null],
  ["localhost", null],
  ["", null],
  ["example.com", null],
])("reads the address %j as %j", (text, address) => {
  expect(readAddress(text)).toBe(address);
});
