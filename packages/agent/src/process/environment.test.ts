import { describe, expect, it } from "vitest";

import { buildEnvironment } from "./environment.ts";
import { expandPath, expandVariables } from "./expand.ts";

const sources = {
  base: { CODER: "true", CODER_AGENT_TOKEN: "agent" },
  process: {
    CODER_AGENT_TOKEN: "inherited",
    SHELL: "/bin/fish",
    HOME: "/home/u",
    PATH: "/usr/bin",
  },
  requested: {},
  user: { name: "u", home: "/home/u", shell: "/bin/bash" },
  manifest: { CODER: "manifest", DATA: "$HOME/data", SELF: "${DATA}", SECRET: "manifest" },
  secrets: { SECRET: "$HOME" },
  binDirectory: "/data/bin",
  commandDirectory: "/data/commands",
};

describe("buildEnvironment", () => {
  it("lets the process fill what the base leaves open, and the user what both leave open", () => {
    const environment = buildEnvironment({ ...sources, manifest: {} });
    expect(environment).toMatchObject({
      CODER: "true",
      CODER_AGENT_TOKEN: "agent",
      SHELL: "/bin/fish",
      USER: "u",
      LOGNAME: "u",
    });
  });

  it("has the user's home where the agent was started without one", () => {
    const environment = buildEnvironment({ ...sources, process: {}, manifest: {} });
    expect(environment["HOME"]).toBe(sources.user.home);
  });

  it("lets a client fill what the base and the process leave open, but not override them", () => {
    const requested = { CODER: "client", HOME: "/client", LANG: "client", USER: "client" };
    expect(buildEnvironment({ ...sources, manifest: {}, requested })).toMatchObject({
      CODER: "true",
      HOME: "/home/u",
      LANG: "client",
      USER: "client",
    });
  });

  it("lets the manifest win over both, expanded with the process's variables only", () => {
    const environment = buildEnvironment(sources);
    expect(environment).toMatchObject({ CODER: "manifest", DATA: "/home/u/data", SELF: "" });
  });

  it("lets secrets win over the manifest, as they are", () => {
    expect(buildEnvironment(sources)["SECRET"]).toBe("$HOME");
  });

  it("puts the scripts' programs in front of the path, also of the manifest's", () => {
    expect(buildEnvironment(sources)["PATH"]).toBe("/data/bin:/usr/bin:/data/commands");
    const manifest = { PATH: "/opt/bin:$PATH" };
    expect(buildEnvironment({ ...sources, manifest })["PATH"]).toBe(
      "/data/bin:/opt/bin:/usr/bin:/data/commands",
    );
    expect(buildEnvironment({ ...sources, process: {} })["PATH"]).toBe("/data/bin:/data/commands");
  });

  it("lets the session's and the call's own variables win over everything", () => {
    const manifest = { SSH_CLIENT: "manifest", CODER_SCRIPT_DATA_DIR: "manifest" };
    const extra = { CODER_SCRIPT_DATA_DIR: "/data/1" };
    expect(buildEnvironment({ ...sources, manifest }, extra)).toMatchObject({
      SSH_CLIENT: "0.0.0.0 0 0",
      SSH_CONNECTION: "0.0.0.0 0 0.0.0.0 0",
      CODER_SCRIPT_DATA_DIR: "/data/1",
    });
  });
});

describe("expandVariables", () => {
  it("leaves every dollar that names nothing", () => {
    expect(expandVariables("$A ${A}b $ $1 ${} $UNKNOWN.", { A: "x" })).toBe("x xb $ $1 ${} .");
  });
});

describe("expandPath", () => {
  const options = { home: "/home/u", base: "/base", environment: { P: "/p" } };
  it.each([
    ["", ""],
    ["~", "/home/u"],
    ["~/src", "/home/u/src"],
    ["$P/x", "/p/x"],
    ["relative", "/base/relative"],
    ["~other", "/base/~other"],
  ])("makes %j to %j", (path, expanded) => {
    expect(expandPath(path, options)).toBe(expanded);
  });
});
