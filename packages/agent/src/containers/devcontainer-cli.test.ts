import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { openCommandHost, shellCommand } from "../../tests/support/command-host.ts";
import { DevcontainerCli, type StartedDevcontainer } from "./devcontainer-cli.ts";
import { Engine } from "./engine.ts";

interface Machine {
  readonly cli: DevcontainerCli;
  readonly up: () => Promise<StartedDevcontainer>;
  /** The lines that users see. */
  readonly log: readonly string[];
}

const place = { folder: "/site", configPath: undefined };
const { signal } = new AbortController();

/** A machine whose `devcontainer` is a shell script; without one, it has none. */
function openMachine(script?: string): Machine {
  const directory = mkdtempSync(join(tmpdir(), "slipway-devcontainer-"));
  if (script !== undefined) {
    writeFileSync(join(directory, "devcontainer"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(directory, "devcontainer"), 0o700);
  }
  const commands = openCommandHost();
  onTestFinished(() => {
    commands[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });
  const prepare = async () => ({ ...shellCommand("true"), environment: { PATH: directory } });
  const cli = new DevcontainerCli(new Engine({ commands, prepare }));
  const log: string[] = [];
  const options = {
    isRecreated: false,
    dotfiles: undefined,
    onLog: (line: string) => void log.push(line),
    room: async () => undefined,
    signal,
  };
  return { cli, log, up: () => cli.up(place, options) };
}

const banner =
  "echo '[2026-11-30T03:00:55.852Z] @devcontainers/cli 0.89.0. Node.js v24.21.0. linux x64.' >&2";

describe("DevcontainerCli", () => {
  it("says how the program is installed", async () => {
    await expect(openMachine().up()).rejects.toThrow("npm install --global @devcontainers/cli");
  });

  it("shows the lines of the log that are for users, and the container", async () => {
    const { up, log } = openMachine(`
echo '{"type":"text","level":3,"text":"Container started"}' >&2
echo '{"type":"text","level":1,"text":"detail"}' >&2
echo '{"type":"start","level":3,"text":"step"}' >&2
echo 'no JSON' >&2
echo '{"outcome":"success","containerId":"c1","remoteUser":"ada","remoteWorkspaceFolder":"/w"}'`);
    expect(await up()).toEqual({
      containerId: "c1",
      remoteUser: "ada",
      remoteFolder: "/w",
      error: undefined,
    });
    expect(log).toEqual(["Container started"]);
  });

  it("tells a container that is not complete from none", async () => {
    const failed = `{"outcome":"error","message":"postCreate failed","description":"postCreate failed"`;
    const incomplete = openMachine(`echo '${failed},"containerId":"c1"}'; exit 1`);
    expect(await incomplete.up()).toMatchObject({ containerId: "c1", error: "postCreate failed" });
    const none = openMachine(`echo '${failed}}'; exit 1`);
    await expect(none.up()).rejects.toMatchObject({ code: "failed", message: "postCreate failed" });
    const silent = openMachine(`${banner}; exit 1`);
    await expect(silent.up()).rejects.toThrow("devcontainer up ended with code 1");
  });

  it("reads the parts of a configuration that concern the agent", async () => {
    const printed = {
      configuration: { customizations: { coder: { name: "front" } } },
      mergedConfiguration: {
        customizations: { coder: [{ apps: [] }, { displayApps: {} }] },
        features: { "./tool": { port: 1 } },
      },
      workspace: { workspaceFolder: "/workspaces/site" },
    };
    const { cli } = openMachine(`${banner}; echo '${JSON.stringify(printed)}'`);
    expect(await cli.readConfiguration(place, {}, { signal })).toEqual({
      customization: { name: "front" },
      mergedCustomizations: [{ apps: [] }, { displayApps: {} }],
      features: { "./tool": { port: 1 } },
      remoteFolder: "/workspaces/site",
    });
    const bare = openMachine(`echo '{"configuration":null,"workspace":1}'`);
    expect(await bare.cli.readConfiguration(place, {}, { signal })).toEqual({
      customization: {},
      mergedCustomizations: [{}],
      features: {},
      remoteFolder: "",
    });
    await expect(
      openMachine("exit 2").cli.readConfiguration(place, {}, { signal }),
    ).rejects.toThrow("read-configuration ended with code 2");
  });
});
