import { describe, expect, it } from "vitest";

import { askedUrl } from "./asked-url.ts";

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
