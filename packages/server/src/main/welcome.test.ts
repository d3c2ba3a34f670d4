import { access } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { welcomeText } from "./welcome.ts";

const repository = join(import.meta.dirname, "../../../..");
const input = {
  accessUrl: "http://127.0.0.1:3000",
  login: { email: "admin@localhost", password: "known" },
  demo: undefined,
  installCommand: "npm install --global /srv/slipway/packages/cli",
  hasTemplates: false,
  hasDocker: false,
} as const;

function commandsOf(text: string): string[] {
  const [, after = ""] = text.split("Next, in another terminal:");
  return [...after.matchAll(/^  (.*)$/gm)].map(([, command]) => command ?? "");
}

it("suggests a template that every server takes, from any directory", async () => {
  const [login, push, create] = commandsOf(welcomeText(input));
  expect(login).toBe("slipway login http://127.0.0.1:3000");
  expect(create).toBe("slipway create mine --template external");
  const path = join(repository, "examples/external.slipway.yaml");
  expect(push).toBe(`slipway templates push ${path}`);
  await access(path);
});

it("suggests to create a workspace where there are templates", () => {
  expect(commandsOf(welcomeText({ ...input, hasTemplates: true }))).toEqual([
    "slipway login http://127.0.0.1:3000",
    "slipway create",
  ]);
});

it("suggests to look at the demonstration, and begins with how to install the command when new", () => {
  const demo = { workspaceName: "demo", state: "running" };
  const login = { email: "admin@localhost", password: { generated: "secret" } };
  const text = welcomeText({ ...input, login, demo });
  expect(text).toContain("Workspace  demo is running");
  expect(commandsOf(text)).toEqual([
    "npm install --global /srv/slipway/packages/cli",
    "slipway login http://127.0.0.1:3000",
    "slipway show demo",
    "slipway logs -f demo",
  ]);
  expect(welcomeText(input)).not.toMatch(/npx|npm/);
});

it("says in one line how to use containers, where they can run", () => {
  expect(welcomeText(input)).not.toContain("Docker");
  const lines = welcomeText({ ...input, hasDocker: true }).split("\n");
  expect(lines.filter((line) => line.includes("Docker"))).toEqual([
    "  Docker     is there for workspaces in containers: slipway templates init --example docker box && slipway templates push box",
  ]);
});
