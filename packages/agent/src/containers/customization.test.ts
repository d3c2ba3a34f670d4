import { expect, it } from "vitest";

import { noCustomization, readCustomization } from "./customization.ts";

it("has all tools but the second VS Code, and no apps, by default", () => {
  const read = readCustomization({ customization: {}, mergedCustomizations: [{}] });
  expect(read).toEqual(noCustomization);
  expect(read.displayApps).not.toContain("vscode_insiders");
});

it("merges the parts of images and configurations, the later ones first", () => {
  const read = readCustomization({
    customization: { name: "front", ignore: true },
    mergedCustomizations: [
      { displayApps: { vscode: false, vscode_insiders: true }, apps: [{ slug: "web", url: "a" }] },
      { displayApps: { vscode: true, web_terminal: false }, apps: [{ slug: "web", url: "b" }] },
    ],
  });
  expect(read).toEqual({
    name: "front",
    isIgnored: true,
    displayApps: ["vscode", "vscode_insiders", "ssh_helper", "port_forwarding_helper"],
    apps: [{ slug: "web", url: "b" }],
  });
});

it("reads all fields of an app, and leaves out what is malformed", () => {
  const app = {
    slug: "web",
    displayName: "Web",
    url: "http://localhost:8080",
    healthCheck: { url: "http://localhost:8080/healthz", interval: 5, threshold: 3 },
    openIn: "tab",
    share: "authenticated",
    order: 2,
    subdomain: true,
    hidden: false,
  };
  const { healthCheck, ...rest } = app;
  const apps = [
    app,
    { slug: "odd", share: "all", order: 1.5, icon: 1, openIn: "x" },
    { url: "x" },
    null,
  ];
  const read = readCustomization({ customization: { name: 1 }, mergedCustomizations: [{ apps }] });
  expect(read.apps).toEqual([{ ...rest, healthcheck: healthCheck }, { slug: "odd" }]);
  expect(read.name).toBeUndefined();
});

it("leaves out a name that servers refuse for agents", () => {
  const nameOf = (name: string) =>
    readCustomization({ customization: { name }, mergedCustomizations: [] }).name;
  expect(["Front-2", "my_front", "-a", "a--b", "a".repeat(65)].map(nameOf)).toEqual([
    "Front-2",
    ...Array.from({ length: 4 }),
  ]);
});

it("limits apps, whatever a configuration has of them", () => {
  const apps = Array.from({ length: 1000 }, (_, index) => ({ slug: `a${index}` }));
  const read = readCustomization({
    customization: {},
    mergedCustomizations: [{ apps }, { apps: 1 }],
  });
  expect(read.apps).toHaveLength(64);
});
