import { spawn } from "node:child_process";
import { accessSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { systemClock } from "@slipway/runtime";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { makeCommandPrograms } from "../process/command-programs.ts";
import { loginVariables } from "../process/login-shell.ts";
import { signalGroup } from "../process/process-groups.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import { prepareCommand } from "../process/workspace-commands.ts";
import { PseudoTerminal } from "./pseudo-terminal.ts";
import { defaultTerminalSize } from "./terminal-size.ts";

/* Login shells, as started by sessions without a command, with profiles that replace PATH. */

const never = new AbortController().signal;
const shells = ["/bin/bash", "/bin/sh", "/bin/zsh"].filter(isThere);
const profiles = {
  "keeps PATH": "",
  "replaces PATH": "PATH=/usr/bin:/bin\nexport PATH\n",
};

let folder = "";
let commandDirectory = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway login-"));
  const agentProgram = join(folder, "agent.cjs");
  await writeFile(agentProgram, "");
  await writeFile(join(folder, "workspace.js"), "console.log('the command')");
  const environment = { PATH: "" };
  const made = await makeCommandPrograms({ environment, dataDir: folder, agentProgram });
  commandDirectory = made ?? "";
});
afterAll(() => rm(folder, { recursive: true }));

function isThere(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Prepares a login shell of a user whose profile has this text. */
async function prepareLogin(
  shell: string,
  profile: string,
  environment = {},
): Promise<PreparedCommand> {
  const home = await mkdtemp(join(folder, "home-"));
  for (const name of [".profile", ".zprofile"]) await writeFile(join(home, name), profile);
  const context = {
    token: "t",
    user: { name: "u", home, shell },
    environment: { PATH: "/usr/bin:/bin" },
    binDirectory: join(folder, "bin"),
    inside: { serverUrl: "http://slipway.test", socketPath: undefined, commandDirectory },
  };
  const workspace = {
    workspaceName: "dev",
    agentName: "main",
    ownerName: "ann",
    workspaceId: "00000000-0000-0000-0000-000000000001",
    directory: home,
    vscodeProxyUri: "",
    motdPath: "",
    environment,
    secrets: {},
  };
  return prepareCommand("", context, workspace);
}

/** Types lines into a shell on a terminal; resolves to its output. */
async function typeInto(command: PreparedCommand, lines: string): Promise<string> {
  const terminal = new PseudoTerminal(command, defaultTerminalSize);
  onTestFinished(() => void signalGroup(terminal.pid, "SIGKILL"));
  await terminal.write(Buffer.from(lines), systemClock, never);
  let output = "";
  await terminal.read(async (chunk) => void (output += chunk.toString()), systemClock);
  return output;
}

describe.each(shells)("%s as a login shell on a terminal", (shell) => {
  it.each(Object.entries(profiles))(
    "finds the command where the profile %s",
    async (_, profile) => {
      const command = await prepareLogin(shell, profile);
      expect(await typeInto(command, "slipway\nexit\n")).toContain("the command\r\n");
    },
  );
});

it("adds the directory once, behind what the profile has", async () => {
  const command = await prepareLogin("/bin/bash", profiles["replaces PATH"]);
  const output = await typeInto(command, "echo\necho\nprintf '<%s>' \"$PATH\"\nexit\n");
  expect(output).toContain(`</usr/bin:/bin:${commandDirectory}>`);
});

it("finds the command in bash without a terminal, and leaves its scripts alone", async () => {
  const { file, args, environment } = await prepareLogin("/bin/bash", profiles["replaces PATH"]);
  const child = spawn(file, args, { env: environment, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end('slipway; printf "<%s>\n" "${BASH_ENV-none}"\n');
  expect(await text(child.stdout)).toBe("the command\n<none>\n");
});

it.each([
  ["/bin/bash", "PROMPT_COMMAND", "history -a"],
  ["/bin/bash", "BASH_ENV", "/etc/mine"],
  ["/bin/sh", "ENV", "/etc/mine"],
])("keeps what %s is told by %s", async (shell, name, value) => {
  const { environment } = await prepareLogin(shell, "", { [name]: value });
  expect(environment[name]).toMatch(new RegExp(`^${value}(\n|$)`));
});

it("gives zsh the directory of its files back", () => {
  const own = loginVariables("/usr/bin/zsh", "/c", { ZDOTDIR: "/home/u/.zsh" });
  expect(own).toEqual({ ZDOTDIR: "/c/zsh", SLIPWAY_ZDOTDIR: "/home/u/.zsh" });
});

it("tells other shells nothing", () => {
  expect(loginVariables("/usr/bin/fish", "/c", {})).toEqual({});
});
