import { describe, expect, it } from "vitest";

import { cookieValues, deletedCookies, hostCookieName } from "./cookies.ts";

describe("cookieValues", () => {
  it("has all values of a name that are not empty, in their order", () => {
    expect(cookieValues("a=1; b=x; a=2;a=;a=1=2; aa=3", "a")).toEqual(["1", "2", "1=2"]);
    expect(cookieValues(undefined, "a")).toEqual([]);
  });
});

describe("hostCookieName", () => {
  it("has the prefix over https only", () => {
    expect(hostCookieName("a", true)).toBe("__Host-a");
    expect(hostCookieName("a", false)).toBe("a");
  });
});

describe("deletedCookies", () => {
  const placesOf = (host: string, url: string): readonly string[] =>
    deletedCookies(["a"], { host, url }).map((cookie) =>
      cookie.replace("a=; Max-Age=0; ", "").replace("; ", " "),
    );

  it("are those of the host and of the domains above it, for each path above the request's", () => {
    expect(placesOf("slipway.example.com:8443", "/external-auth?x=/y")).toEqual([
      "Path=/",
      "Domain=slipway.example.com Path=/",
      "Domain=example.com Path=/",
      "Path=/external-auth",
      "Domain=slipway.example.com Path=/external-auth",
      "Domain=example.com Path=/external-auth",
      "Path=/external-auth/",
      "Domain=slipway.example.com Path=/external-auth/",
      "Domain=example.com Path=/external-auth/",
    ]);
  });

  it.each(["127.0.0.1:3000", "[::1]:3000", "a b", ""])("of %j name no domain", (host) => {
    expect(placesOf(host, "/")).toEqual(["Path=/"]);
  });

  it("are few, and of text that a header may have", () => {
    const url = `/${"a/".repeat(500)}`;
    expect(placesOf("a.b.c.d.e.f", url)).toHaveLength(24);
    expect(placesOf("127.0.0.1", "/a;b/\u00e4\n")).toEqual(["Path=/"]);
  });
});
