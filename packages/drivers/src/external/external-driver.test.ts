import { expect, it } from "vitest";

import { defaultDriverLimits, type DriverBuild } from "../driver-build.ts";
import { ExternalDriver } from "./external-driver.ts";

const build: DriverBuild = {
  id: "b",
  number: 1,
  transition: "start",
  workspace: {
    id: "w",
    name: "box",
    owner: {
      id: "o",
      username: "ada",
      name: "",
      email: "",
      roles: [],
      organizationId: "",
      loginType: "password",
      gitKey: undefined,
    },
  },
  template: {
    id: "t",
    name: "t",
    version: "v1",
    settings: {},
    directory: undefined,
    notes: undefined,
  },
  isPrebuild: false,
  keepState: async () => undefined,
  hold: () => Promise.reject(new Error("nothing holds this build")),
  parameters: {},
  agents: [
    {
      id: "a",
      name: "main",
      token: "secret-token",
      platform: { os: "linux", arch: "amd64" },
      directory: "",
      environment: {},
      container: undefined,
    },
  ],
  limits: defaultDriverLimits,
  accessUrl: "http://127.0.0.1:3000",
  readState: async () => undefined,
};

it("says how to start its agents, and no token", async () => {
  const lines: string[] = [];
  const log = { write: (_level: string, _stage: string, line: string) => lines.push(line) };
  const result = await new ExternalDriver().start(build, log);
  expect(result.resources).toEqual([
    { type: "coder_external_agent", name: "main", agentNames: ["main"] },
  ]);
  expect(lines.join("\n")).toContain("slipway show box");
  expect(lines.join("\n")).not.toContain("secret-token");
});
