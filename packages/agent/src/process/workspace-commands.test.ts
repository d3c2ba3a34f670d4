import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { prepareCommand } from "./workspace-commands.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-workspace-"));
afterAll(() => rmSync(folder, { recursive: true }));

const context = {
  token: "the-token",
  user: { name: "u", home: "/", shell: "/bin/sh" },
  environment: { PATH: "/usr/bin", GOTRACEBACK: "none" },
  binDirectory: "/data/bin",
  inside: {
    serverUrl: "http://slipway.test",
    socketPath: undefined,
    commandDirectory: "/my data/commands",
  },
};
const workspace = {
  workspaceName: "dev",
  agentName: "main",
  ownerName: "alice",
  workspaceId: "00000000-0000-0000-0000-000000000001",
  directory: folder,
  vscodeProxyUri: "",
  motdPath: "",
  environment: { A: "1" },
  secrets: { S: "2" },
};

describe("prepareCommand", () => {
  it("says who and where it is, and leaves out what is empty", async () => {
    const variables = { extra: { X: "3" }, requested: { S: "no", R: "4" } };
    const command = await prepareCommand("echo", context, workspace, variables);
    const { environment, cwd, file } = command;
    expect(environment).toEqual({
      CODER: "true",
      CODER_WORKSPACE_NAME: "dev",
      CODER_WORKSPACE_AGENT_NAME: "main",
      CODER_WORKSPACE_OWNER_NAME: "alice",
      CODER_WORKSPACE_ID: "00000000-0000-0000-0000-000000000001",
      CODER_AGENT_TOKEN: "the-token",
      CS_DISABLE_GETTING_STARTED_OVERRIDE: "true",
      CODER_AGENT_URL: "http://slipway.test",
      GIT_SSH_COMMAND: "'/my data/commands/slipway' gitssh --",
      GIT_ASKPASS: "/my data/commands/slipway",
      PATH: "/data/bin:/usr/bin:/my data/commands",
      HOME: context.user.home,
      USER: "u",
      LOGNAME: "u",
      SHELL: "/bin/sh",
      SSH_CLIENT: "0.0.0.0 0 0",
      SSH_CONNECTION: "0.0.0.0 0 0.0.0.0 0",
      A: "1",
      S: "2",
      X: "3",
      R: "4",
    });
    expect([cwd, file]).toEqual([folder, "/bin/sh"]);
  });

  it.each(["", join(folder, "absent"), "/dev/null"])(
    "runs at home where %j is no directory",
    async (directory) => {
      expect((await prepareCommand("echo", context, { ...workspace, directory })).cwd).toBe("/");
    },
  );
});
