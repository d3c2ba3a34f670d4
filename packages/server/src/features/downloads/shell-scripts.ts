import { readFile } from "node:fs/promises";

import { shellWord } from "@slipway/runtime";

import { packageDirectory } from "../../platform/clone-directory.ts";

/** The parts of the scripts, which are written in shell. */
const directory = new URL("shell/", packageDirectory);

interface Place {
  readonly accessUrl: string;
  /** The version that clients of the original see. */
  readonly version: string;
}

/** Returns the texts of scripts for a server's URL. */
export interface ShellScripts {
  /** Starts an agent on any machine. */
  readonly start: (place: Place) => string;
  /** Installs the command. */
  readonly install: (place: Place) => string;
  /** Stands in for the program that start scripts written for Coder download. */
  readonly coder: (place: Place) => string;
  /** Starts an agent on a machine that a Terraform configuration makes; the provider fills in the server's URL. */
  readonly agentInit: string;
}

/** Agents may reach the server under another URL. */
const takeAgentUrl = `[ -z "\${CODER_AGENT_URL-}" ] || slipway_server=\${CODER_AGENT_URL%/}\n`;

/** Reads the scripts. */
export async function readShellScripts(): Promise<ShellScripts> {
  const read = (name: string): Promise<string> => readFile(new URL(name, directory), "utf8");
  const download = await read("download.sh");
  const start = await read("start.sh");
  const [startMain, installMain, coderMain] = await Promise.all(
    ["start-main.sh", "install-main.sh", "coder-main.sh"].map(read),
  );
  return {
    agentInit: await read("agent-init.sh"),
    start: (place) =>
      script("Starts the agent of a workspace on this machine.", place, [
        takeAgentUrl,
        download,
        start,
        startMain ?? "",
      ]),
    install: (place) =>
      script("Installs the slipway command; see --help.", place, [download, installMain ?? ""]),
    coder: (place) =>
      script("The agent and the command of Slipway, for scripts that look for Coder's.", place, [
        takeAgentUrl,
        download,
        start,
        coderMain ?? "",
      ]),
  };
}

/** Joins the parts inside braces, so that a shell runs nothing of a truncated script. */
function script(summary: string, { accessUrl, version }: Place, parts: readonly string[]): string {
  return `#!/bin/sh
# ${summary}
{
set -u
slipway_server=${shellWord(accessUrl)}
slipway_coder_version=${shellWord(version)}

${parts.join("\n")}
exit
}
`;
}
