import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";

import { agentEnvironment, agentProgram } from "@slipway/testkit";

/**
 * Starts our agent, as `tools/build-agent.ts` has built it; all its files are in its home directory. The launcher has the
 * words before the command that run it elsewhere, such as in a namespace.
 */
export async function runOurAgent(
  place: Parameters<typeof agentEnvironment>[0],
  launcher: readonly string[] = [],
): Promise<ChildProcess> {
  await mkdir(place.home, { recursive: true });
  const [command, ...args] = [...launcher, process.execPath, agentProgram];
  return spawn(command ?? "", args, {
    cwd: place.home,
    stdio: "ignore",
    env: agentEnvironment(place),
  });
}
