import { describe, expect, it } from "vitest";

import { askedUrl, isFromOtherSite, needsHttps } from "./same-origin.ts";

const https = "https://slipway.example";
const http = "http://slipway.example:3000";

/** Returns a mutating request as seen by the server. */
function asked(origin: string, protocol: "http" | "https", host: string) {
  return { headers: { origin }, method: "POST", protocol, host };
}

describe("a page is of this site", () => {
  it.each([
    ["that the visitor asked for", http, "http", "slipway.example:3000", http],
    ["in any case", "http://Slipway.example:3000", "http", "SLIPWAY.example:3000", http],
    ["by an address of the server's own", "http://10.0.0.5:3000", "http", "10.0.0.5:3000", https],
    ["that a trusted proxy was asked for", "https://a.example", "https", "a.example", http],
    ["behind an untrusted proxy for TLS", https, "http", "slipway.example", https],
    ["behind one that asks for another host", https, "http", "127.0.0.1:3000", https],
    ["with the default port", https, "https", "slipway.example:443", https],
  ] as const)("%s", (_, origin, protocol, host, accessUrl) => {
    expect(isFromOtherSite(asked(origin, protocol, host), accessUrl)).toBe(false);
  });
});

describe("a page is of another site", () => {
  it.each([
    ["by its host", "https://other.example", "https", "slipway.example", https],
    ["by its scheme", "http://slipway.example", "https", "slipway.example", https],
    [
      "by its scheme, behind an untrusted proxy",
      "http://slipway.example",
      "http",
      "slipway.example",
      https,
    ],
    [
      "by its scheme, with a port",
      "http://slipway.example:443",
      "http",
      "slipway.example:443",
      https,
    ],
    ["by its port", "http://slipway.example:3001", "http", "slipway.example:3000", http],
    [
      "with https at a server without",
      "https://slipway.example:3000",
      "http",
      "slipway.example:3000",
      http,
    ],
    ["without an origin to compare", "null", "http", "slipway.example:3000", http],
    ["when the host is none", "http://a b", "http", "a b", ""],
  ] as const)("%s", (_, origin, protocol, host, accessUrl) => {
    expect(isFromOtherSite(asked(origin, protocol, host), accessUrl)).toBe(true);
  });
});

it("holds for what changes something and for sockets, and only for pages", () => {
  const page = { ...asked("https://other.example", "http", "slipway.example:3000"), method: "GET" };
  expect(isFromOtherSite(page, http)).toBe(false);
  const socket = { ...page, headers: { ...page.headers, upgrade: "websocket" } };
  expect(isFromOtherSite(socket, http)).toBe(true);
  expect(isFromOtherSite({ ...page, method: "POST", headers: {} }, http)).toBe(false);
});

it.each([
  ["https", http, true],
  ["http", https, true],
  ["http", http, false],
  ["http", "", false],
] as const)("a cookie of %s at %s is for https only: %j", (protocol, accessUrl, expected) => {
  expect(needsHttps({ protocol }, accessUrl)).toBe(expected);
});

const accessUrl = "http://127.0.0.1:3000";

describe("askedUrl", () => {
  it.each(["box.example:3000", "10.0.0.5:80", "[2001:db8::1]:3000", "box", "a_b.internal"])(
    "is the address that was asked: %s",
    (host) => {
      expect(askedUrl({ protocol: "http", host }, accessUrl)).toBe(`http://${host}`);
    },
  );

  it.each([
    "",
    "a b",
    "evil.example/path",
    "user@evil.example",
    "evil.example?x=",
    "evil.example#",
    "$(reboot)",
    "a'b",
    "a\nb",
    "[::1",
    "x:123456",
    "-x",
    "a".repeat(300),
  ])("is the server's own for what is no host: %j", (host) => {
    expect(askedUrl({ protocol: "http", host }, accessUrl)).toBe(accessUrl);
  });
});
