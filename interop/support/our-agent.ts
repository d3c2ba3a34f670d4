import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../packages/agent/dist/agent.js", import.meta.url));

interface OurAgentOptions {
  readonly serverUrl: string;
  readonly token: string;
  /** Its home directory; all its files are there, its log as `coder-agent.log`. */
  readonly home: string;
}

/** Starts our agent, as `tools/build-agent.ts` has built it. */
export async function runOurAgent({
  serverUrl,
  token,
  home,
}: OurAgentOptions): Promise<ChildProcess> {
  await mkdir(home, { recursive: true });
  return spawn(process.execPath, [program], {
    cwd: home,
    stdio: "ignore",
    env: {
      HOME: home,
      PATH: process.env["PATH"],
      CODER_AGENT_URL: serverUrl,
      CODER_AGENT_TOKEN: token,
      CODER_AGENT_LOG_DIR: home,
      CODER_AGENT_SCRIPT_DATA_DIR: join(home, "scripts"),
    },
  });
}
