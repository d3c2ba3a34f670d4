import { expect, it } from "vitest";

import { appUrl, portUrl } from "./app-url.ts";

const workspace = { owner_name: "ada", name: "demo" };
const region = { path_app_url: "https://slipway.example.com", wildcard_hostname: "" };
const place = { workspace, region };
const wild = { workspace, region: { ...region, wildcard_hostname: "*.apps.example.com:8443" } };
const app = { slug: "web", external: false, subdomain: false };

it("gives an app a path of the server", () => {
  const path = "/@ada/demo.main/apps/web/";
  expect(appUrl(app, "main", place)).toBe(`https://slipway.example.com${path}`);
  const below = { ...region, path_app_url: "https://example.com/base/" };
  expect(appUrl(app, "main", { workspace, region: below })).toBe(`https://example.com/base${path}`);
});

it("gives an app its own host below the wildcard", () => {
  const own = { ...app, subdomain: true, subdomain_name: "web--demo--ada" };
  expect(appUrl(own, "main", wild)).toBe("https://web--demo--ada.apps.example.com:8443/");
  expect(appUrl(own, "main", place)).toBeUndefined();
  // The name is literal text, not a pattern.
  const odd = { ...own, subdomain_name: "$&--x" };
  expect(appUrl(odd, "main", wild)).toBe("https://$&--x.apps.example.com:8443/");
});

it("opens a command in a terminal, and an external app where it is", () => {
  expect(appUrl({ ...app, command: "htop" }, "main", wild)).toBe(
    "https://slipway.example.com/@ada/demo.main/terminal?app=web",
  );
  const url = "vscode://x/y";
  expect(appUrl({ ...app, external: true, url }, "main", wild)).toBe(url);
});

it("escapes names that are no names", () => {
  expect(appUrl({ ...app, slug: "\ud800" }, "main", place)).toMatch(/apps\/%EF%BF%BD\/$/);
  const odd = { ...app, slug: "../../api?x#y" };
  expect(appUrl(odd, "a/b", place)).toBe(
    "https://slipway.example.com/@ada/demo.a%2Fb/apps/..%2F..%2Fapi%3Fx%23y/",
  );
});

it("gives a port a host of its own, which tells HTTPS", () => {
  const port = { agent_name: "main", port: 8080, protocol: "http" } as const;
  expect(portUrl(port, wild)).toBe("https://8080--main--demo--ada.apps.example.com:8443/");
  expect(portUrl({ ...port, protocol: "https" }, wild)).toBe(
    "https://8080s--main--demo--ada.apps.example.com:8443/",
  );
  expect(portUrl(port, place)).toBeUndefined();
  expect(portUrl({ ...port, port: 999 }, wild)).toBeUndefined();
});
