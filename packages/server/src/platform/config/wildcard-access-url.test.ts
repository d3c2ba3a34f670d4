import { describe, expect, it } from "vitest";

import { parseWildcardAccessUrl, wildcardHostname, wildcardPart } from "./wildcard-access-url.ts";

describe("parseWildcardAccessUrl", () => {
  it.each([
    ["*.apps.example.com", ".apps.example.com", undefined],
    ["*-apps.example.com", "-apps.example.com", undefined],
    [" *.Apps.EXAMPLE.com:8443 ", ".apps.example.com", 8443],
    ["*.localhost:3000", ".localhost", 3000],
  ])("parses %j", (text, suffix, port) => {
    expect(parseWildcardAccessUrl(text)).toEqual({ suffix, port });
  });

  it.each([
    "*",
    "*.",
    "*-apps",
    "apps.example.com",
    "x*.example.com",
    "*x.example.com",
    "a.*.example.com",
    "*.*.example.com",
    "https://*.example.com",
    "*.example.com/",
    "*.example.com:0",
    "*.example.com:65536",
    "*.example..com",
    "*.-example.com",
    "*.exa mple.com",
    `*.${"a".repeat(64)}.com`,
    `*${".a23456789".repeat(26)}`,
  ])("refuses %j", (text) => {
    expect(parseWildcardAccessUrl(text)).toBeUndefined();
  });
});

it("tells clients the port at which browsers reach apps", () => {
  const plain = parseWildcardAccessUrl("*.apps.test");
  const withPort = parseWildcardAccessUrl("*.apps.test:8443");
  const secure = parseWildcardAccessUrl("*.apps.test:443");
  expect(wildcardHostname(undefined, "https://s.test")).toBe("");
  expect(wildcardHostname(plain, "https://s.test")).toBe("*.apps.test");
  expect(wildcardHostname(plain, "http://s.test:3000")).toBe("*.apps.test:3000");
  expect(wildcardHostname(withPort, "https://s.test:3000")).toBe("*.apps.test:8443");
  expect(wildcardHostname(secure, "https://s.test:3000")).toBe("*.apps.test");
});

describe("wildcardPart", () => {
  const dotted = { suffix: ".apps.test", port: undefined };
  const dashed = { suffix: "-apps.test", port: undefined };

  it.each([
    [dotted, "web--dev--ann.apps.test", "web--dev--ann"],
    [dotted, "WEB--dev--ann.Apps.Test:3000", "web--dev--ann"],
    [dotted, "x.apps.test.", "x"],
    [dashed, "web--dev--ann-apps.test", "web--dev--ann"],
    [dotted, "apps.test", undefined],
    [dotted, ".apps.test", undefined],
    [dotted, "a.b.apps.test", undefined],
    [dotted, "x.apps.test.evil.test", undefined],
    [dotted, "xapps.test", undefined],
    [dashed, "a.b-apps.test", undefined],
    [dotted, "", undefined],
  ])("%j of %j is %j", (wildcard, host, part) => {
    expect(wildcardPart(wildcard, host)).toBe(part);
  });
});
