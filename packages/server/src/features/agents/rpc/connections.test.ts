import { expect, it } from "vitest";

import { readIp } from "./connections.ts";

it.each([
  ["localhost", "127.0.0.1"],
  ["10.0.0.1", "10.0.0.1"],
  ["fd7a:115c:a1e0::1", "fd7a:115c:a1e0::1"],
  ["", null],
  ["example.com", null],
])("reads the address %j as %j", (text, ip) => {
  expect(readIp(text)).toBe(ip);
});
