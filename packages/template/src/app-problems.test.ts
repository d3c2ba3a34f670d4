import { describe, expect, it } from "vitest";

import { expectProblem, head, inAgent, inApp, parsed } from "../tests/support/template-texts.ts";

describe("problems of apps", () => {
  const path = "agents.main.apps.a";
  it.each([
    [
      "neither address nor command",
      inAgent("apps:\n  «a: {}"),
      path,
      "neither `url` nor `command`",
    ],
    [
      "both",
      inAgent('apps:\n  «a: { url: "http://x", command: x }'),
      path,
      "both `url` and `command`",
    ],
    [
      "a bad slug",
      inAgent('apps:\n  «a--b: { url: "http://x" }'),
      "agents.main.apps.a--b",
      "single dashes",
    ],
    [
      "a slug twice",
      inAgent('apps:\n  a: { url: "http://x" }\n  «a: { url: "http://y" }'),
      path,
      "duplicate key `a`",
    ],
    ["no address", inApp("url: «localhost"), `${path}.url`, "wanted a URL"],
    [
      "an address that a browser runs",
      inApp("external: true, url: «'javascript:alert(1)'"),
      `${path}.url`,
      "does not run code",
    ],
    [
      "an editor's address that is not external",
      inApp("url: «'vscode://x'"),
      `${path}.url`,
      "`external: true`",
    ],
    [
      "a host name for an external app",
      inApp("external: true, url: 'x://y', «subdomain: true"),
      `${path}.subdomain`,
      "external app",
    ],
    [
      "health without an address",
      inApp("url: 'http://x', «health: {}"),
      `${path}.health`,
      "missing key `url`",
    ],
    [
      "a threshold of none",
      inApp("url: 'http://x', health: { url: 'http://x', threshold: «0 }"),
      `${path}.health.threshold`,
      "whole number from 1",
    ],
    [
      "a health address that is none",
      inApp("url: 'http://x', health: { url: «'http:/x' }"),
      `${path}.health.url`,
      "http://",
    ],
    [
      "an unknown level",
      inApp("url: 'http://x', share: «everyone"),
      `${path}.share`,
      "owner, authenticated, organization, public",
    ],
  ])("says where %s is", (_, text, at, message) => {
    expectProblem(text, at, message);
  });

  it("refuses a slug that two agents have", () => {
    const text = `${head}agents:\n  a: { apps: { x: { command: y } } }\n  b: { apps: { «x: { command: y } } }`;
    expectProblem(text, "agents.b.apps.x", "agent `a` already has it");
  });

  it("takes an address with expressions", () => {
    expect(parsed(inApp('url: "http://${{ workspace.name }}:80"')).agents[0]?.apps).toHaveLength(1);
    expect(parsed(inApp('url: "${{ owner.name }}"')).agents[0]?.apps).toHaveLength(1);
  });
});
