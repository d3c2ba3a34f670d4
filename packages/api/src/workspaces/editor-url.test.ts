import { expect, it } from "vitest";

import { editorUrl } from "./editor-url.ts";

const place = {
  url: "https://slipway.example.com",
  owner: "ada",
  workspace: "demo",
  agent: "main",
};

it("writes what the extension reads", () => {
  expect(editorUrl("vscode", place)).toBe(
    "vscode://coder.coder-remote/open?url=https%3A%2F%2Fslipway.example.com&owner=ada&workspace=demo&agent=main",
  );
  const url = new URL(editorUrl("cursor", { ...place, folder: "/a b&c=d'\u001b[2J" }, "secret"));
  expect([url.protocol, url.host, url.pathname]).toEqual([
    "cursor:",
    "coder.coder-remote",
    "/open",
  ]);
  expect(url.searchParams.get("folder")).toBe("/a b&c=d'\u001b[2J");
  expect(url.searchParams.get("token")).toBe("secret");
  expect(url.href).toMatch(/^[!-&(-~]+$/);
});
