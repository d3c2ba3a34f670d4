import { describe, expect, it } from "vitest";

import { parseTrustedProxies } from "./address-settings.ts";

describe("parseTrustedProxies", () => {
  it("reads addresses and networks of both families", () => {
    const text = "127.0.0.1, 10.0.0.0/8,::1 , fd00::/8";
    expect(parseTrustedProxies(text)).toEqual(["127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8"]);
  });

  it.each([
    "",
    "proxy.example.com",
    "10.0.0.0/33",
    "10.0.0/8",
    "::1/129",
    "10.0.0.1/",
    "fe80::1%eth0",
    "0.0.0.0/0",
    "::/0",
    "10.0.0.1,",
    "10.0.0.1 10.0.0.2",
    Array.from({ length: 257 }, () => "10.0.0.1").join(),
  ])("refuses %s", (text) => {
    expect(parseTrustedProxies(text)).toBeUndefined();
  });
});
