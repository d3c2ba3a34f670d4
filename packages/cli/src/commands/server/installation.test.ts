import { pathToFileURL } from "node:url";

import { expect, it } from "vitest";

import { packageDirectory } from "../../config/own-package.ts";
import { findInstallation } from "./installation.ts";

it("runs what npm has installed in a clone, and makes archives", () => {
  const { agentCommand, installCommand, archives } = findInstallation(packageDirectory);
  expect(agentCommand).toEqual([process.execPath, expect.stringContaining("agent.cjs")]);
  expect(installCommand).toMatch(/^npm install --global \/.*\/packages\/cli$/);
  expect(archives).toEqual({ command: [process.execPath, expect.stringMatching(/\.ts$/)] });
});

it("runs the launcher of a release, and serves its archives", () => {
  const found = findInstallation(pathToFileURL("/srv/Ada's/slipway/lib/slipway/cli/"));
  expect(found).toMatchObject({
    agentCommand: ["/srv/Ada's/slipway/bin/slipway", "agent"],
    installCommand: `export PATH="$PATH":'/srv/Ada'\\''s/slipway/bin'`,
    workspacePrograms: { slipway: ["/srv/Ada's/slipway/bin/slipway"] },
    archives: { directory: "/srv/Ada's/slipway/lib/downloads" },
  });
});
