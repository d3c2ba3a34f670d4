import { describe, expect, it } from "vitest";

import { type AppSite, type AskedApp, readAppRequest } from "./app-request.ts";

const site: AppSite = {
  wildcard: { suffix: ".example.test", port: undefined },
  pathApps: "sandbox",
  accessUrl: () => "https://slipway.example.test",
};

function read(host: string, url = "/", change: Partial<AppSite> = {}): AskedApp {
  const client = { address: "", protocol: "http", host, forwardedFor: "" } as const;
  return readAppRequest({ url }, () => client, { ...site, ...change });
}

describe("readAppRequest", () => {
  it("takes hosts of the pattern for apps, and uses https if the server does", () => {
    expect(read("web--dev--ann.example.test", "/a?b")).toMatchObject({
      type: "app",
      asked: {
        address: { username: "ann", workspace: "dev", target: { type: "app", slug: "web" } },
        origin: "https://web--dev--ann.example.test",
        wildcardHost: "*.example.test",
        basePath: "",
        path: "/a",
        query: "?b",
      },
    });
  });

  it.each([
    "slipway.example.test",
    "SLIPWAY.example.test.:443",
    "other.test",
    "",
    "127.0.0.1:3000",
  ])("leaves requests to %j to the server", (host) => {
    expect(read(host, "/api/v2/users/me")).toEqual({ type: "none" });
  });

  it.each([
    ["anything.example.test", "/api/v2/users/me"],
    ["8080--dev--ann.example.test", "/"],
    ["web--dev--ann.example.test", "http://slipway.example.test/api/v2/users/me"],
    ["web--dev--ann.example.test", "*"],
  ])("lets nothing at %s reach the server", (host, url) => {
    expect(read(host, url)).toEqual({ type: "malformed-host" });
  });

  it("takes paths of workspaces for apps at the server's hosts alone", () => {
    const path = "/@ann/dev/apps/web/x?y";
    expect(read("slipway.example.test", path)).toMatchObject({
      type: "app",
      asked: { basePath: "/@ann/dev/apps/web", path: "/x", query: "?y" },
    });
    expect(read("slipway.example.test", "/@me/dev/apps/web/")).toEqual({ type: "unknown-path" });
    expect(read("slipway.example.test", path, { pathApps: "off" })).toEqual({
      type: "path-apps-off",
    });
    expect(read("web--dev--ann.example.test", path)).toMatchObject({
      type: "app",
      asked: { basePath: "", path: "/@ann/dev/apps/web/x" },
    });
    expect(read("evil.test/@", path)).toEqual({ type: "unknown-path" });
  });

  it("knows no hosts of apps without a pattern", () => {
    expect(read("web--dev--ann.example.test", "/", { wildcard: undefined })).toEqual({
      type: "none",
    });
  });
});
