import { describe, expect, it } from "vitest";

import { addressText, isAppPath, parseAppHost, parseAppPath } from "./app-address.ts";

describe("parseAppPath", () => {
  const web = { type: "app", slug: "web" };

  it.each([
    ["/@ann/dev/apps/web", undefined, "/@ann/dev/apps/web", ""],
    ["/@ann/dev/apps/web/", undefined, "/@ann/dev/apps/web", "/"],
    ["/@ann/dev.main/apps/web/a/b?c=/d", "main", "/@ann/dev.main/apps/web", "/a/b?c=/d"],
    ["/%40Ann/Dev.Main/apps/web?x", "main", "/%40Ann/Dev.Main/apps/web", "?x"],
    ["/@ann/dev/apps/web/../../api/v2", undefined, "/@ann/dev/apps/web", "/../../api/v2"],
    ["/@ann/dev/apps/%77eb//x", undefined, "/@ann/dev/apps/%77eb", "//x"],
  ])("parses %s", (url, agent, basePath, rest) => {
    const address = { access: "path", username: "ann", workspace: "dev", agent, target: web };
    expect(parseAppPath(url)).toEqual({ address, basePath, rest });
  });

  it.each([
    "/",
    "/@ann",
    "/@ann/dev",
    "/@ann/dev/apps",
    "/@ann/dev/apps/",
    "/@ann/dev/apps//x",
    "/@me/dev/apps/web/",
    "/@ME/dev/apps/web/",
    "/%2540ann/dev/apps/web/",
    "/@%zz/dev/apps/web/",
    "/@ann/dev.a.b/apps/web/",
    "/@ann/dev./apps/web/",
    "/@ann/a%2Fb/apps/web/",
    "/@ann/dev/apps/..%2f/",
    "/@ann/dev/app/web/",
    `/@${"a".repeat(300)}/dev/apps/web/`,
    "http://host/@ann/dev/apps/web/",
  ])("does not take %s for an app", (url) => {
    expect(parseAppPath(url)).toBeUndefined();
  });
});

it.each([
  ["/@ann/dev/apps", true],
  ["/@ann/dev/apps/web/x?y", true],
  ["/%40ann/dev.main/apps/web", true],
  ["/@/x/apps?y", true],
  ["/@ann", false],
  ["/@ann/dev", false],
  ["/@ann/dev/terminal", false],
  ["/@ann/dev/appstore", false],
  ["/@ann/dev/builds/apps/1", false],
  ["/api/v2/@ann/dev/apps/web", false],
  ["/", false],
])("knows whether %s is for an app: %s", (path, isOne) => {
  expect(isAppPath(path)).toBe(isOne);
});

describe("parseAppHost", () => {
  const place = { access: "subdomain", username: "ann", workspace: "dev" };
  const port = (number: number, slug: string, protocol = "http"): object => ({
    type: "port",
    port: number,
    protocol,
    slug,
  });

  it.each([
    ["web--dev--ann", undefined, { type: "app", slug: "web" }],
    ["web--main--dev--ann", "main", { type: "app", slug: "web" }],
    ["WEB--Dev--Ann", undefined, { type: "app", slug: "web" }],
    ["x---web--dev--ann", undefined, { type: "app", slug: "web" }],
    ["x--y---web--dev--ann", undefined, { type: "app", slug: "web" }],
    ["my-web--dev--ann", undefined, { type: "app", slug: "my-web" }],
    ["8080--main--dev--ann", "main", port(8080, "8080")],
    ["65535s--main--dev--ann", "main", port(65_535, "65535s", "https")],
    ["123--dev--ann", undefined, { type: "app", slug: "123" }],
  ])("parses %s", (part, agent, target) => {
    expect(parseAppHost(part)).toEqual({ ...place, agent, target });
  });

  it.each([
    "",
    "web",
    "dev--ann",
    "8080--dev--ann",
    "65536--main--dev--ann",
    "0000--main--dev--ann",
    "a--b--c--d--e",
    "web----ann",
    "-web--dev--ann",
    "web--dev--ann-",
    "x---",
    "w_b--dev--ann",
    "wéb--dev--ann",
  ])("refuses %j", (part) => {
    expect(parseAppHost(part)).toBeUndefined();
  });
});

it("tells addresses apart", () => {
  const texts = [
    parseAppHost("web--dev--ann"),
    parseAppHost("web--main--dev--ann"),
    parseAppHost("web--dev--bob"),
    parseAppHost("8080--main--dev--ann"),
    parseAppHost("8080s--main--dev--ann"),
    parseAppPath("/@ann/dev/apps/web/")?.address,
  ].map((address) => address && addressText(address));
  expect(new Set(texts).size).toBe(texts.length);
});
